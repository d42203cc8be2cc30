import { notCrypt4gh, truncatedHeader } from '../errors.ts'
import {
  type Header,
  type Packet,
  packetOverheadBytes,
  packetPreambleBytes,
  preambleBytes,
} from './Header.ts'
import { HeaderScanner } from './HeaderScanner.ts'

/**
 * Reads the header at the start of `bytes`, which may go on with the body (spec §3.2). Nothing is opened, nothing is
 * copied.
 * @throws HtsvaultError NOT_CRYPT4GH, CRYPT4GH_VERSION_UNSUPPORTED, CRYPT4GH_HEADER_CORRUPT,
 * CRYPT4GH_HEADER_TOO_LARGE; CRYPT4GH_TRUNCATED where the header is not whole.
 */
export function readHeader(bytes: Uint8Array): Header {
  if (bytes.length === 0) throw notCrypt4gh('it is empty')
  const scanner = new HeaderScanner()
  if (!scanner.advance(bytes)) throw truncatedHeader(bytes.length, scanner.needed)

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const packets: Packet[] = []
  for (let at = preambleBytes; at < scanner.needed;) {
    const end = at + view.getUint32(at, true)
    packets.push(readPacket(bytes.subarray(at, end), view.getUint32(at + 4, true)))
    at = end
  }
  return { packets, length: scanner.needed }
}

function readPacket(bytes: Uint8Array, method: number): Packet {
  if (method !== 0 || bytes.length < packetOverheadBytes) return { bytes, method }
  const writerEnd = packetPreambleBytes + 32
  const nonceEnd = writerEnd + 12
  return {
    bytes,
    method,
    sealed: {
      writer: bytes.subarray(packetPreambleBytes, writerEnd),
      nonce: bytes.subarray(writerEnd, nonceEnd),
      payload: bytes.subarray(nonceEnd),
    },
  }
}
