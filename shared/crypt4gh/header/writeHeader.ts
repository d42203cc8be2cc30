import { type Backend, type Cipher, randomBytes } from '../Backend.ts'
import type { EditList } from '../editList.ts'
import { headerTooLarge, invalidPublicKey } from '../errors.ts'
import type { KeyPair } from '../keys/KeyPair.ts'
import { wipe } from '../wipe.ts'
import {
  magic,
  maxHeaderBytes,
  maxPacketBytes,
  maxPackets,
  packetOverheadBytes,
  packetPreambleBytes,
  preambleBytes,
  version,
} from './Header.ts'
import { packetCipher } from './packetKey.ts'
import { writePayload } from './payload.ts'

export interface HeaderContent {
  /** Each 32 bytes. One wherever possible: most readers get slower with each, some read only the first. */
  readonly dataKeys: readonly Uint8Array[]
  readonly editList?: EditList | undefined
  /** Public keys of those who are to read the file. */
  readonly recipients: readonly Uint8Array[]
  /** Who writes; without it a key pair that is forgotten at once. */
  readonly writer?: KeyPair | undefined
}

/**
 * Writes a header: for each recipient a packet for each data key, and one for the edit list (spec §3.2).
 * @throws HtsvaultError KEY_INVALID, CRYPT4GH_HEADER_TOO_LARGE.
 */
export function writeHeader(content: HeaderContent, backend: Backend): Uint8Array {
  const payloads = content.dataKeys.map(dataKey => writePayload({ kind: 'dataKey', dataKey }))
  if (content.editList) payloads.push(writePayload({ kind: 'editList', editList: content.editList }))
  const header = joinPackets(sealPackets(payloads, content.recipients, content.writer, backend))
  wipe(...payloads)
  return header
}

/** Seals each payload for each recipient. @throws HtsvaultError KEY_INVALID, CRYPT4GH_HEADER_TOO_LARGE. */
export function sealPackets(
  payloads: readonly Uint8Array[],
  recipients: readonly Uint8Array[],
  writer: KeyPair | undefined,
  backend: Backend,
): Uint8Array[] {
  const secretKey = writer?.secretKey ?? randomBytes(32, backend)
  const own = backend.x25519(secretKey)
  const publicKey = writer?.publicKey ?? own.publicKey()
  if (!writer) wipe(secretKey)
  return recipients.flatMap(recipient => {
    const cipher = packetCipher(own, recipient, recipient, publicKey, backend)
    if (!cipher) throw invalidPublicKey()
    return payloads.map(payload => sealPacket(payload, cipher, publicKey, backend))
  })
}

function sealPacket(payload: Uint8Array, cipher: Cipher, writer: Uint8Array, backend: Backend): Uint8Array {
  const length = packetOverheadBytes + payload.length
  if (length > maxPacketBytes)
    throw headerTooLarge(`a header packet of ${length} bytes; at most ${maxPacketBytes} are written`)
  const packet = new Uint8Array(length)
  const nonce = randomBytes(12, backend)
  new DataView(packet.buffer).setUint32(0, length, true)
  packet.set(writer, packetPreambleBytes)
  packet.set(nonce, packetPreambleBytes + 32)
  cipher.seal(nonce, payload, packet.subarray(packetPreambleBytes + 44))
  return packet
}

/** A header of these packets. @throws HtsvaultError CRYPT4GH_HEADER_TOO_LARGE. */
export function joinPackets(packets: readonly Uint8Array[]): Uint8Array {
  const length = packets.reduce((sum, packet) => sum + packet.length, preambleBytes)
  if (packets.length > maxPackets || length > maxHeaderBytes)
    throw headerTooLarge(
      `a header of ${packets.length} packets and ${length} bytes; at most ${maxPackets} and ${maxHeaderBytes} are written`,
    )
  const header = new Uint8Array(length)
  const view = new DataView(header.buffer)
  header.set(magic)
  view.setUint32(8, version, true)
  view.setUint32(12, packets.length, true)
  let at = preambleBytes
  for (const packet of packets) {
    header.set(packet, at)
    at += packet.length
  }
  return header
}
