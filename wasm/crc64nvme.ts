/**
 * CRC-64/NVME, sixteen bytes a step by sixteen tables ("slicing"). AssemblyScript: `npm run wasm` compiles it to
 * `shared/bytes/crc64nvmeModule.ts`.
 */

/** The polynomial, bits reversed: the lowest bit is the highest power. */
const polynomial: u64 = 0x9a6c9329ac4bc9b5

// Where things are in memory, in bytes.
const tablesAt: usize = 0x1000 // u64 x 256 x 16
/** The bytes: up to 64 KiB. */
export const inputAt: usize = 0x10000

/** Table `t` tells what a byte does to the remainder with `t` more bytes behind it. */
export function prepare(): void {
  for (let byte: u64 = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ polynomial : crc >> 1
    store<u64>(tablesAt + ((<usize>byte) << 3), crc)
  }
  for (let t: usize = 1; t < 16; t++)
    for (let byte: usize = 0; byte < 256; byte++) {
      const crc = load<u64>(tablesAt + ((((t - 1) << 8) + byte) << 3))
      store<u64>(tablesAt + (((t << 8) + byte) << 3), entry(0, crc) ^ (crc >> 8))
    }
}

function entry(t: usize, bits: u64): u64 {
  return load<u64>(tablesAt + (t << 11) + (((<usize>bits) & 255) << 3))
}

/** The remainder (inverted, as the checksum is) after `size` bytes more. */
export function update(checksum: u64, size: usize): u64 {
  let crc = ~checksum
  let at = inputAt
  const end = inputAt + size
  for (; at + 16 <= end; at += 16) {
    const a = load<u64>(at) ^ crc
    const b = load<u64>(at, 8)
    // In pairs: fewer steps from one remainder to the next. 2.0 GB/s in place of 1.6.
    const ofB =
      entry(7, b) ^
      entry(6, b >> 8) ^
      (entry(5, b >> 16) ^ entry(4, b >> 24)) ^
      (entry(3, b >> 32) ^ entry(2, b >> 40) ^ (entry(1, b >> 48) ^ entry(0, b >> 56)))
    const ofA =
      entry(15, a) ^
      entry(14, a >> 8) ^
      (entry(13, a >> 16) ^ entry(12, a >> 24)) ^
      (entry(11, a >> 32) ^ entry(10, a >> 40) ^ (entry(9, a >> 48) ^ entry(8, a >> 56)))
    crc = ofA ^ ofB
  }
  for (; at < end; at++) crc = entry(0, crc ^ load<u8>(at)) ^ (crc >> 8)
  return ~crc
}
