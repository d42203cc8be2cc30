import { BamRecord } from '@gmod/bam'

const operations = 'MIDNSHP=X???????'
/** M, D, N, = and X, one bit each. */
const consumesReference = 0b110001101
const softClip = 4

/**
 * @gmod/bam's record, right where its own is not: CIGARs of reads that have none, that are unmapped or clipped as a whole,
 * skips over 2^27 bases, and the qualities of unmapped reads.
 */
export class BamRead extends BamRecord {
  #cigar: Uint32Array<ArrayBuffer> | undefined

  /** Each operation's length × 16 + its code (SAMv1 §4.2). */
  override get NUMERIC_CIGAR(): Uint32Array<ArrayBuffer> {
    return (this.#cigar ??= this.#readCigar())
  }

  override get CIGAR(): string {
    let text = ''
    for (const operation of this.NUMERIC_CIGAR) text += `${operation >>> 4}${operations[operation & 15]!}`
    return text
  }

  override get length_on_ref(): number {
    let length = 0
    for (const operation of this.NUMERIC_CIGAR)
      if ((consumesReference >>> (operation & 15)) & 1) length += operation >>> 4
    return length
  }

  override get cigarAndLength(): { length_on_ref: number; NUMERIC_CIGAR: Uint32Array } {
    return { length_on_ref: this.length_on_ref, NUMERIC_CIGAR: this.NUMERIC_CIGAR }
  }

  override get qual(): Uint8Array {
    const at = this.b0 + this.read_name_length + this.num_cigar_bytes + this.num_seq_bytes
    return this.byteArray.subarray(at, at + this.seq_length)
  }

  #readCigar(): Uint32Array<ArrayBuffer> {
    const at = this.b0 + this.read_name_length
    const cigar = new Uint32Array(this.byteArray.slice(at, at + this.num_cigar_bytes).buffer)
    const [first = 0] = cigar
    // More than 65,535 operations are in the tag CG (SAMv1 §4.2.2).
    if (cigar.length === 0 || (first & 15) !== softClip || first >>> 4 !== this.seq_length) return cigar
    if (this.ref_id < 0 || this.start < 0) return cigar
    const whole = this.getTag('CG')
    if (!Array.isArray(whole) && !(whole instanceof Int32Array) && !(whole instanceof Uint32Array))
      return cigar
    return whole.length >= cigar.length ? Uint32Array.from(whole as ArrayLike<number>) : cigar
  }
}
