import type { Backend } from '../Backend.ts'
import type { KeyPair } from '../keys/KeyPair.ts'
import type { Header, Packet } from './Header.ts'
import { packetCipher } from './packetKey.ts'

/** A packet that one of the reader's keys opened. */
export interface OpenedPacket {
  readonly packet: Packet
  /** The plain content, padding included: a secret. */
  readonly payload: Uint8Array
  /** Which of the keys opened it. */
  readonly key: number
}

export interface OpenOptions {
  /** Take only packets that this public key's owner wrote. */
  readonly writer?: Uint8Array | undefined
}

/** Tries each key on each packet; what opens with none is for other readers, or broken: the format does not tell. */
export function openPackets(
  header: Header,
  keys: readonly KeyPair[],
  backend: Backend,
  { writer }: OpenOptions = {},
): { opened: OpenedPacket[]; others: Packet[] } {
  const readers = keys.map(({ publicKey, secretKey }) => ({ publicKey, x25519: backend.x25519(secretKey) }))
  const opened: OpenedPacket[] = []
  const others: Packet[] = []
  for (const packet of header.packets) {
    const { sealed } = packet
    const mine = sealed && (!writer || sameBytes(sealed.writer, writer))
    const found =
      mine &&
      readers.some((reader, key) => {
        const cipher = packetCipher(reader.x25519, sealed.writer, reader.publicKey, sealed.writer, backend)
        const payload = new Uint8Array(sealed.payload.length - 16)
        if (!cipher?.open(sealed.nonce, sealed.payload, payload)) return false
        opened.push({ packet, payload, key })
        return true
      })
    if (!found) others.push(packet)
  }
  return { opened, others }
}

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i])
