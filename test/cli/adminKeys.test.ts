import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from '@jest/globals'
import { writePublicKey } from '#shared/crypt4gh/keys/writePublicKey.ts'
import { folderStore } from '#shared/local/folderStore.ts'
import { keyFile } from '#shared/local/keyFile.ts'
import { registeredKeys } from '#shared/vault/registeredKeys.ts'
import { newKeys } from '#test/crypt4gh/support.ts'
import { run, temporaryFolder } from '#test/support/interop.ts'

const entry = join(import.meta.dirname, '..', '..', 'cli', 'htsvault.js')
const folder = temporaryFolder()
const vault = folderStore(join(folder, 'vault'))
const alice = { issuer: 'https://idp', subject: 'alice@x' }
const of = ({ issuer, subject }: typeof alice) => ['--issuer', issuer, '--subject', subject]
const pairs = [newKeys(), newKeys()]

const keys = async (...args: string[]) => {
  const { stdout, ...rest } = await run(
    process.execPath,
    [entry, 'admin', 'keys', ...args, '--data', folder],
    { cwd: folder },
  )
  return { stdout: stdout.toString(), ...rest }
}

beforeAll(async () => {
  await keyFile(folder).keyPair()
  pairs.forEach(({ publicKey }, i) => writeFileSync(join(folder, `${i}.pub`), writePublicKey(publicKey)))
})

test('keys are added, told, and removed, one and all', async () => {
  for (const file of ['0.pub', '1.pub', '1.pub'])
    expect(await keys('add', ...of(alice), file)).toEqual({ stdout: '', stderr: '', code: 0 })
  expect(await registeredKeys(vault, alice)).toEqual(pairs.map(({ publicKey }) => publicKey))
  const line = (i: number) => `https://idp\talice@x\t${Buffer.from(pairs[i]!.publicKey).toString('base64')}\n`
  expect((await keys('list')).stdout).toBe(line(0) + line(1))

  expect((await keys('remove', ...of(alice), '0.pub')).code).toBe(0)
  expect((await keys('list')).stdout).toBe(line(1))
  expect((await keys('remove', ...of(alice))).code).toBe(0)
  expect((await keys('list')).stdout).toBe('')
  expect(await registeredKeys(vault, alice)).toEqual([])

  const again = await keys('remove', ...of(alice))
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('NOTHING_TO_DO') })
}, 60_000)

test('what is no public key is not registered', async () => {
  for (const [text, expected] of [
    ['no key', /bad\.pub.*KEY_FORMAT_UNKNOWN/],
    [writePublicKey(new Uint8Array(32)), /bad\.pub.*KEY_INVALID/],
  ] as const) {
    writeFileSync(join(folder, 'bad.pub'), text)
    const { code, stderr } = await keys('add', ...of(alice), 'bad.pub')
    expect([code, stderr]).toEqual([1, expect.stringMatching(expected)])
  }
  expect(await registeredKeys(vault, alice)).toEqual([])
  expect((await keys('add', 'bad.pub')).code).toBe(2)
})
