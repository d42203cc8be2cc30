import { HtsvaultError } from '#shared/errors.ts'
import { worksUnderWay } from './large/worksUnderWay.ts'
import type { KeyRotation } from './ports/KeyRotation.ts'
import { rekeyForKey, type RekeyOptions, type RekeyProgress } from './rekey.ts'
import type { VaultPorts } from './VaultPorts.ts'

/** How far a rotation got, and when there is something to do again. */
export type RotationStep =
  /** There is a new pair, which is not in force yet: come again then. */
  | { readonly step: 'made'; readonly from: Date; readonly publicKey: Uint8Array }
  /** Manifests were re-keyed. From `retireFrom` on the older pair can be taken out of use. */
  | {
      readonly step: 'rekeyed'
      readonly progress: RekeyProgress
      readonly retireFrom: Date
      readonly publicKey: Uint8Array
    }
  /** All were looked at again, and the older pair is out of use. */
  | { readonly step: 'retired'; readonly progress: RekeyProgress }

export interface RotateOptions extends RekeyOptions {
  /** Take the older pair out of use. */
  readonly retire?: boolean
  readonly now?: () => number
}

/**
 * How long after a new pair came into force the older one stays, in milliseconds: a data token lives for an hour, and one
 * pass over a file that began with the older pair ends within minutes. Large ingests are looked for.
 */
export const settleMs = 2 * 3600_000

/** What a step of an ingest began with it may write so much later, in milliseconds: no function runs for longer. */
const stepMs = 15 * 60_000

/**
 * The next step of a rotation: makes a new pair, or re-keys what an older one opens, or takes that out of use. What the
 * stores and the key store say decides which, so that a run which died is taken up by the next.
 * @throws HtsvaultError ROTATION_NOT_BEGUN, ROTATION_TOO_EARLY, ROTATION_INCOMPLETE; what the ports throw
 */
export async function rotateKey(
  ports: VaultPorts,
  rotation: KeyRotation,
  { retire = false, now = Date.now, ...options }: RotateOptions = {},
): Promise<RotationStep> {
  const began = now()
  let { newestFrom: from, publicKey } = await rotation.state()
  if (from === undefined) {
    if (retire)
      throw new HtsvaultError(
        'ROTATION_NOT_BEGUN',
        'the vault has one key pair alone: there is no older one',
        {
          hint: 'htsvault admin rotate-key makes a new one.',
        },
      )
    from = new Date(began + rotation.leadMs)
    await rotation.begin(from)
    publicKey = (await rotation.state()).publicKey
  }
  if (began < from.getTime()) return { step: 'made', from, publicKey }

  const retireFrom = new Date(from.getTime() + settleMs)
  if (retire && began < retireFrom.getTime())
    throw new HtsvaultError(
      'ROTATION_TOO_EARLY',
      `tickets and ingests that began with the older key pair may still be under way: it can be retired from ${retireFrom.toISOString()} on`,
      { hint: 'Run the same command then.' },
    )
  if (retire) await checkWorks(ports, from, began)
  const progress = await rekeyForKey(ports, options)
  // At once, not at the pass's end: the call that gets there knows nothing of what failed in those before it.
  if (retire && progress.failures > 0)
    throw new HtsvaultError(
      'ROTATION_INCOMPLETE',
      `${progress.failures} manifests could not be re-keyed (first: ${progress.failed[0]!.key}, ${progress.failed[0]!.code}): the older key pair stays`,
      { hint: 'Upload these files again, or delete their manifests, then run the same command.' },
    )
  if (!retire || progress.after !== undefined) return { step: 'rekeyed', progress, retireFrom, publicKey }
  await rotation.end()
  return { step: 'retired', progress }
}

/** The plan of a large ingest, its body's header and what its shards found may open with the older pair alone. */
async function checkWorks({ vault }: VaultPorts, from: Date, now: number): Promise<void> {
  const works = await worksUnderWay(vault, from.getTime() + stepMs, now)
  if (works.length > 0)
    throw new HtsvaultError(
      'ROTATION_TOO_EARLY',
      `${works.length} large ingests that began with the older key pair are under way (first: ${works[0]!})`,
      {
        hint: 'Run the same command when they have ended; one that is stopped has, twenty minutes later.',
      },
    )
}
