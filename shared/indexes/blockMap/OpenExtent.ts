/** The gaps that are kept of one unit on one reference, at most: the widest ones. */
export const maxGaps = 16

/** The narrowest gap that is kept, in bases: a narrower one costs its bytes and spares hardly any region a block. */
export const minGap = 256

/** Positions are kept in 32 bits; one beyond counts as the last of them. */
const maxPosition = 2 ** 32 - 1

/** What one unit holds on one reference, while its records come in: from where to where, and the widest gaps. */
export class OpenExtent {
  refId = 0
  /** Where its first record begins, 0-based. */
  beg = 0
  /** The furthest end of its records, not included. */
  end = 0
  /** Gaps between its records, in order: where each begins and ends. */
  readonly gapBegs = new Float64Array(maxGaps)
  readonly gapEnds = new Float64Array(maxGaps)
  gaps = 0
  #lastBeg = 0
  #narrowest = 0

  open(refId: number, beg: number, end: number): void {
    this.refId = refId
    this.beg = this.#lastBeg = Math.min(Math.max(beg, 0), maxPosition - 1)
    this.end = Math.min(Math.max(end, this.beg + 1), maxPosition)
    this.gaps = 0
  }

  /** Takes one record more. */
  add(beg: number, end: number): void {
    if (beg < this.#lastBeg) {
      // Slices of a CRAM container may interleave: what seemed a gap may not be one.
      this.gaps = 0
      if (beg < this.beg) this.beg = Math.max(beg, 0)
    } else {
      this.#lastBeg = beg
      if (beg - this.end >= minGap) this.#addGap(this.end, Math.min(beg, maxPosition - 1))
    }
    const furthest = end > beg ? end : beg + 1
    if (furthest > this.end) this.end = Math.min(furthest, maxPosition)
  }

  #addGap(beg: number, end: number): void {
    if (this.gaps === maxGaps) {
      if (end - beg <= this.#widthOf(this.#narrowest)) return
      this.gapBegs.copyWithin(this.#narrowest, this.#narrowest + 1)
      this.gapEnds.copyWithin(this.#narrowest, this.#narrowest + 1)
      this.gaps--
    }
    this.gapBegs[this.gaps] = beg
    this.gapEnds[this.gaps] = end
    this.gaps++
    if (this.gaps < maxGaps) return
    this.#narrowest = 0
    for (let i = 1; i < maxGaps; i++)
      if (this.#widthOf(i) < this.#widthOf(this.#narrowest)) this.#narrowest = i
  }

  #widthOf(gap: number): number {
    return this.gapEnds[gap]! - this.gapBegs[gap]!
  }
}
