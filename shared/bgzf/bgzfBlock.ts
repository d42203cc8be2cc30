import { crc32, inflateRawSync } from 'node:zlib'
import { HtsvaultError } from '#shared/errors.ts'
import { damaged, fixedHeaderSize, maxBlockSize, trailerSize } from './blockHeader.ts'
import { inflateRaw } from './inflateRaw.ts'

export { eofMarker, maxBlockSize, readBlockSize } from './blockHeader.ts'

/**
 * Inflates one whole BGZF block and checks its length and CRC32. `offset` is where it starts in the file, for
 * the messages. Never more than 64 KiB come out. The result is valid until the next block is inflated.
 * `inflated` is what comes out, where that is known already.
 * @throws HtsvaultError BGZF_BAD_DATA, BGZF_CRC
 */
export function inflateBlock(block: Uint8Array, offset: number, inflated?: Uint8Array): Uint8Array {
  const end = block.length - trailerSize
  const size = uint32(block, end + 4)
  if (size > maxBlockSize)
    throw badData(offset, `says it inflates to ${size} bytes, more than the 65536 that are allowed`)
  const plain = inflated ?? inflate(block.subarray(fixedHeaderSize + uint16(block, 10), end), size, offset)
  if (crc32(plain) !== uint32(block, end))
    throw new HtsvaultError('BGZF_CRC', 'a BGZF block does not have the checksum that it carries', {
      place: { offset },
      hint: damaged,
    })
  return plain
}

const uint16 = (bytes: Uint8Array, at: number) => bytes[at]! | (bytes[at + 1]! << 8)
const uint32 = (bytes: Uint8Array, at: number) => (uint16(bytes, at) | (uint16(bytes, at + 2) << 16)) >>> 0

/** What is not as it should be goes to zlib, which knows the reason, and has the last word. */
function inflate(compressed: Uint8Array, size: number, offset: number): Uint8Array {
  const quickly = inflateRaw(compressed, size)
  if (quickly) return quickly
  let plain: Uint8Array
  try {
    plain = inflateRawSync(compressed, { maxOutputLength: maxBlockSize })
  } catch (cause) {
    throw badData(offset, 'cannot be inflated', cause)
  }
  if (plain.length !== size) throw badData(offset, `inflates to ${plain.length} bytes where it says ${size}`)
  return plain
}

function badData(offset: number, what: string, cause?: unknown): HtsvaultError {
  return new HtsvaultError('BGZF_BAD_DATA', `a BGZF block ${what}`, {
    place: { offset },
    hint: damaged,
    cause,
  })
}
