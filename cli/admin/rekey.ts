import { createRekeyHandler, type RekeyReply, type RekeyRequest } from '#functions/rekey/handler.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { keyFileRotation } from '#shared/local/keyFile.ts'
import { silentLog } from '#shared/vault/Log.ts'
import { openLocalVault } from '../openLocalVault.ts'
import type { RotateOptions, VaultOptions } from './rekeyCommands.ts'
import { useStack } from './stackOptions.ts'

type Call = (request: RekeyRequest) => Promise<RekeyReply>

/** The next step of a rotation. */
export async function rotateKeyOf({ retire = false, ...options }: RotateOptions): Promise<void> {
  const { step, next, publicKey } = await untilDone(await callOf(options), { action: 'rotate', retire })
  if (step === 'retired') {
    console.error('The older key pair is out of use.')
    return
  }
  if (publicKey !== undefined) console.log(publicKey.trimEnd())
  console.error(
    step === 'made'
      ? `A new key pair is made. It is in force from ${next}: run the same command after that.`
      : `Both key pairs open. Retire the older one from ${next} on: htsvault admin rotate-key --retire`,
  )
}

/** All manifests of a dataset, for its present recipients. */
export async function rekeyOf(dataset: string, options: VaultOptions): Promise<void> {
  await untilDone(await callOf(options), { action: 'rekey', dataset })
}

/** One on AWS is worked on by its own function: the private keys stay there. A local one by the same code, here. */
async function callOf(options: VaultOptions): Promise<Call> {
  if (options.stage === undefined) {
    const ports = openLocalVault(options.data)
    const handler = createRekeyHandler({
      ports: () => ports,
      rotation: () => keyFileRotation(options.data),
      log: silentLog,
    })
    return request => handler(request, {} as Parameters<typeof handler>[1])
  }
  useStack(options)
  const { rekeyOnAws } = await import('#shared/aws/adminClients.ts')
  return (await rekeyOnAws(options.stage)) as Call
}

/** Calls until the pass is at its end, and tells how it went. */
async function untilDone(call: Call, request: RekeyRequest): Promise<RekeyReply> {
  let [rekeyed, unchanged, failures] = [0, 0, 0]
  for (let after: string | undefined; ;) {
    const reply = await call({ ...request, ...(after !== undefined && { after }) })
    if (reply.error) throw HtsvaultError.from(reply.error)
    const { progress } = reply
    if (!progress) return reply
    rekeyed += progress.rekeyed
    unchanged += progress.unchanged
    failures += progress.failures
    for (const { key, code } of progress.failed) console.error(`not re-keyed: ${key} (${code})`)
    console.error(`${rekeyed} re-keyed, ${unchanged} as they should be, ${failures} failed`)
    after = progress.after
    if (after !== undefined) continue
    if (failures > 0) process.exitCode = 1
    return reply
  }
}
