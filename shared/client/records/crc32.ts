/** Eight tables of 256: what a byte does to the sum from eight places on (slicing by eight). */
const tables = makeTables()

function makeTables(): Int32Array {
  const made = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let sum = byte
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0)
    made[byte] = sum
  }
  for (let at = 256; at < made.length; at++) made[at] = (made[at - 256]! >>> 8) ^ made[made[at - 256]! & 255]!
  return made
}

/** The CRC-32 of gzip (RFC 1952 §8) of bytes `start` to `end`, unsigned; where `node:zlib` is not to be had. */
export function crc32(bytes: Uint8Array, start: number, end: number): number {
  const t = tables
  let sum = -1
  let at = start
  for (; at + 8 <= end; at += 8) {
    const low = sum ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
    sum =
      t[1792 + (low & 255)]! ^
      t[1536 + ((low >>> 8) & 255)]! ^
      t[1280 + ((low >>> 16) & 255)]! ^
      t[1024 + (low >>> 24)]! ^
      t[768 + bytes[at + 4]!]! ^
      t[512 + bytes[at + 5]!]! ^
      t[256 + bytes[at + 6]!]! ^
      t[bytes[at + 7]!]!
  }
  for (; at < end; at++) sum = (sum >>> 8) ^ t[(sum ^ bytes[at]!) & 255]!
  return ~sum >>> 0
}
