import middy from '@middy/core'
import * as z from 'zod'
import { writePublicKey } from '#shared/crypt4gh/keys/writePublicKey.ts'
import { HtsvaultError, type ErrorReport } from '#shared/errors.ts'
import type { Log } from '#shared/vault/Log.ts'
import type { KeyRotation } from '#shared/vault/ports/KeyRotation.ts'
import { rekeyDataset, type RekeyProgress } from '#shared/vault/rekey.ts'
import { rotateKey } from '#shared/vault/rotateKey.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'

const request = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('rotate'),
    retire: z.boolean().default(false),
    after: z.string().optional(),
  }),
  z.strictObject({ action: z.literal('rekey'), dataset: z.string().min(1), after: z.string().optional() }),
])

/** What the function is called with. */
export type RekeyRequest = z.input<typeof request>

/** What it answers; `progress.after` where there is more to do: call it again with that. */
export interface RekeyReply {
  readonly step: 'made' | 'rekeyed' | 'retired' | 'refused'
  readonly progress?: RekeyProgress
  /** When to come again, for the next step. */
  readonly next?: string
  /** The newest public key, PEM. */
  readonly publicKey?: string
  readonly error?: ErrorReport
}

export interface RekeyFunctionProps {
  readonly ports: () => VaultPorts
  readonly rotation: () => KeyRotation
  readonly log: Log
  /** How long one call works, in milliseconds. */
  readonly workMs?: number
}

/** Rotates the vault's key pair, and re-keys datasets, in calls of some minutes each. Called by operators alone. */
export function createRekeyHandler({ ports, rotation, log, workMs = 120_000 }: RekeyFunctionProps) {
  return middy<unknown, RekeyReply>().handler(async event => {
    const parsed = request.safeParse(event)
    if (!parsed.success)
      throw new HtsvaultError('EVENT_INVALID', 'the function is to be called by htsvault admin', {
        cause: parsed.error,
      })
    const until = performance.now() + workMs
    const options = { after: parsed.data.after, stop: () => performance.now() > until }
    try {
      const reply =
        parsed.data.action === 'rotate'
          ? await rotate(ports(), rotation(), { ...options, retire: parsed.data.retire })
          : {
              step: 'rekeyed' as const,
              progress: await rekeyDataset(ports(), parsed.data.dataset, options),
            }
      log.info('rekey ended', {
        step: reply.step,
        ...(reply.progress && { rekeyed: reply.progress.rekeyed, failures: reply.progress.failures }),
      })
      return reply
    } catch (error) {
      if (!(error instanceof HtsvaultError)) throw error
      log.error('rekey failed', { code: error.code }, error)
      return { step: 'refused', error: error.toReport() }
    }
  })
}

/** One step of a rotation, as it is told. */
export async function rotate(...args: Parameters<typeof rotateKey>): Promise<RekeyReply> {
  const done = await rotateKey(...args)
  if (done.step === 'retired') return done
  const next = done.step === 'made' ? done.from : done.retireFrom
  return {
    step: done.step,
    ...(done.step === 'rekeyed' && { progress: done.progress }),
    next: next.toISOString(),
    publicKey: writePublicKey(done.publicKey),
  }
}
