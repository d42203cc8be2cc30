import type { Backend } from '../Backend.ts'
import type { KeyPair } from '../keys/KeyPair.ts'
import { wipe } from '../wipe.ts'
import type { Header } from './Header.ts'
import { type OpenedPacket, openPackets } from './openPackets.ts'
import { readOpened } from './openHeader.ts'
import { joinPackets, sealPackets } from './writeHeader.ts'
import { readPayload } from './payload.ts'

export interface Reencryption {
  /** Keys of the present reader. */
  readonly keys: readonly KeyPair[]
  /** Public keys of the new readers. The present reader stays one only where named here. */
  readonly recipients: readonly Uint8Array[]
  /**
   * Keep the packets that the keys do not open, which are other readers' (default true). Whoever is among them must
   * not be a recipient too where there is an edit list: they would have it twice.
   */
  readonly keepOthers?: boolean
  readonly writer?: KeyPair | undefined
}

/**
 * Writes the header anew for other readers; the body stays as it is. Every data key, and the edit list, goes to
 * every recipient.
 * @throws HtsvaultError as openHeader and writeHeader.
 */
export function reencryptHeader(
  header: Header,
  { keys, recipients, keepOthers = true, writer }: Reencryption,
  backend: Backend,
): Uint8Array {
  const { opened, others } = openPackets(header, keys, backend)
  try {
    wipe(...readOpened(header, keys.length, opened).dataKeys)
    const sealed = sealPackets(distinctPayloads(opened), recipients, writer, backend)
    return joinPackets([...sealed, ...(keepOthers ? others.map(({ bytes }) => bytes) : [])])
  } finally {
    wipe(...opened.map(({ payload }) => payload))
  }
}

/** The payloads as they are, padding and all; of those that say the same (one reader, two keys) the first. */
function distinctPayloads(opened: readonly OpenedPacket[]): Uint8Array[] {
  const distinct = new Map<string, Uint8Array>()
  for (const { payload } of opened) {
    const content = readPayload(payload)
    // Edit lists that differ were refused already.
    const says = content.kind === 'dataKey' ? content.dataKey.join() : 'edit list'
    if (!distinct.has(says)) distinct.set(says, payload)
  }
  return [...distinct.values()]
}
