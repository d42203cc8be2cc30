const ascii = (text: string) => new TextEncoder().encode(text)

export const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts))

/** Little-endian, of 32 bits each. */
export function uint32(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4)
  values.forEach((value, i) => new DataView(bytes.buffer).setUint32(i * 4, value >>> 0, true))
  return bytes
}

/** A BCF header around a text. */
export function bcfHeader(text: string, minor = 2): Uint8Array {
  return joined(Uint8Array.of(0x42, 0x43, 0x46, 2, minor), uint32(text.length), ascii(text))
}

/**
 * A BCF record: ID `.`, REF of `ref` bases (at most 14), ALT C, no FILTER; then `samples` bytes for the samples.
 * `pos` is 0-based.
 */
export function bcfRecord(
  chrom: number,
  pos: number,
  rlen: number,
  { ref = 1, samples = 0 }: { ref?: number; samples?: number } = {},
): Uint8Array {
  const typed = joined(
    Uint8Array.of(0x07, (ref << 4) | 7),
    ascii('A'.repeat(ref)),
    Uint8Array.of(0x17, 67, 0),
  )
  return joined(
    uint32(24 + typed.length, samples, chrom, pos, rlen, 0x7f800001, 0x20000, 0),
    typed,
    new Uint8Array(samples),
  )
}
