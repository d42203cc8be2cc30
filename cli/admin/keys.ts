import { s3Client } from '#shared/aws/awsClients.ts'
import { s3Store } from '#shared/aws/s3Store.ts'
import { stackOutputs } from '#shared/aws/stackOutputs.ts'
import { HtsvaultError } from '#shared/errors.ts'
import type { ObjectStore } from '#shared/vault/ports/ObjectStore.ts'
import { addRegisteredKey, listRegisteredKeys, removeRegisteredKey } from '#shared/vault/registeredKeys.ts'
import { readPublicKeys } from '../c4gh/readKeys.ts'
import { openLocalVault } from '../openLocalVault.ts'
import type { KeysOptions, SubjectOptions } from './keysCommand.ts'
import { useStack } from './stackOptions.ts'

/** Registers a key for a person. @throws HtsvaultError with the key file's name */
export async function addKey(file: string, options: SubjectOptions): Promise<void> {
  const [key] = readPublicKeys([file])
  await addRegisteredKey(await vaultOf(options), options, key!)
}

/** Prints who registered what, a line a key. */
export async function listKeys(options: KeysOptions): Promise<void> {
  for await (const { issuer, subject, publicKeys } of listRegisteredKeys(await vaultOf(options)))
    for (const key of publicKeys) console.log([issuer, subject, key].join('\t'))
}

/** Removes a key of a person, or all. @throws HtsvaultError NOTHING_TO_DO where there is none */
export async function removeKeys(file: string | undefined, options: SubjectOptions): Promise<void> {
  const key = file === undefined ? undefined : readPublicKeys([file])[0]
  if (!(await removeRegisteredKey(await vaultOf(options), options, key)))
    throw new HtsvaultError('NOTHING_TO_DO', 'that person has registered no such key', {
      hint: 'htsvault admin keys list tells issuers and subjects as they were registered.',
    })
}

async function vaultOf(options: KeysOptions): Promise<ObjectStore> {
  if (options.data !== undefined) return openLocalVault(options.data).vault
  useStack(options)
  const output = await stackOutputs(`htsvault-${options.stage}-stateful`)
  return s3Store(s3Client(), output('Vault'))
}
