import type { KeyPair, KeyRing } from './ports/KeyStore.ts'

/** A key pair of the vault, and since when, or from when on, it is the one in force. */
export interface DatedPair extends KeyPair {
  readonly from: Date
}

/** The newest pair whose time has come, and the others beside it. `pairs`: at least one, the oldest first. */
export function ringOf(pairs: readonly DatedPair[], now: number): KeyRing {
  const inForce = pairs.findLast(({ from }) => from.getTime() <= now) ?? pairs[0]!
  const others = pairs
    .filter(pair => pair !== inForce)
    .map(({ publicKey, secretKey }) => ({ publicKey, secretKey }))
  const { publicKey, secretKey } = inForce
  return { publicKey, secretKey, ...(others.length > 0 && { others }) }
}

/** All pairs of a ring: the one in force first. */
export const pairsOf = (ring: KeyRing): readonly KeyPair[] => [ring, ...(ring.others ?? [])]
