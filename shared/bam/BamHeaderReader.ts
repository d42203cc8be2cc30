import { HtsvaultError } from '#shared/errors.ts'

export interface BamReference {
  readonly name: string
  /** In bases. */
  readonly length: number
  /** Of its sequence, as its @SQ line has it. */
  readonly md5?: string
}

export interface BamHeader {
  /** The SAM header, without what pads it. */
  readonly text: string
  readonly references: readonly BamReference[]
  /** Length of the header in the inflated file, in bytes. */
  readonly size: number
}

/** Longest header that is read, in bytes; htslib has no limit, the largest that are known are some 10 MB. */
const maxHeaderSize = 1 << 27

/** A compressed header can announce more names than memory holds; assemblies have up to some 3 million. */
const maxReferences = 1 << 22

/**
 * Wider than SAM's own rule (SAMv1 §1.2.1), which files in use break and samtools does not enforce here: but a name
 * that cannot stand in a SAM line, or means «none» there, cannot be asked for.
 */
const isReferenceName = (name: string) => name !== '' && name !== '*' && !/\p{Cc}/u.test(name)

const decoder = new TextDecoder('utf-8')

/**
 * Reads a BAM header (SAMv1 §4.2) from bytes that come bit by bit: `read` is called with all that there is from its
 * start, and goes on where it stopped.
 */
export class BamHeaderReader {
  #textSize = -1
  #announced = -1
  #at = 0
  readonly #references: BamReference[] = []
  readonly #names = new Set<string>()

  /**
   * The header that starts at `start`, or undefined where `window` ends (at `end`) before it does.
   * @throws HtsvaultError NOT_BAM, BAM_HEADER_INVALID, HEADER_TOO_LARGE
   */
  read(window: Uint8Array, start: number, end: number): BamHeader | undefined {
    const view = new DataView(window.buffer, window.byteOffset + start, end - start)
    if (this.#textSize < 0) {
      if (view.byteLength < 8) return undefined
      if (view.getUint32(0, true) !== 0x014d4142)
        throw new HtsvaultError('NOT_BAM', 'the file is BGZF-compressed, but it is not a BAM file')
      this.#textSize = view.getUint32(4, true)
      this.#within(8 + this.#textSize + 4)
    }
    if (this.#announced < 0) {
      const at = 8 + this.#textSize
      if (view.byteLength < at + 4) return undefined
      this.#announced = view.getInt32(at, true)
      if (this.#announced < 0) throw badHeader('announces a negative number of references')
      if (this.#announced > maxReferences)
        throw new HtsvaultError(
          'HEADER_TOO_LARGE',
          `the BAM header has more than ${maxReferences} references`,
        )
      this.#at = at + 4
      this.#within(this.#at + this.#announced * 9)
    }
    while (this.#references.length < this.#announced) if (!this.#readReference(view)) return undefined
    const text = this.#text(view)
    return { text, references: withMd5(this.#references, text), size: this.#at }
  }

  /** Reads one more reference if it is all there. */
  #readReference(view: DataView): boolean {
    if (view.byteLength < this.#at + 4) return false
    const nameSize = view.getInt32(this.#at, true)
    if (nameSize < 1) throw badHeader('has a reference without a name')
    const nameAt = this.#at + 4
    this.#within(nameAt + nameSize + 4)
    if (view.byteLength < nameAt + nameSize + 4) return false
    const bytes = new Uint8Array(view.buffer, view.byteOffset + nameAt, nameSize)
    // htslib takes a name that lacks its NUL, so do we.
    const name = decoder.decode(bytes[nameSize - 1] === 0 ? bytes.subarray(0, nameSize - 1) : bytes)
    if (!isReferenceName(name))
      throw badHeader(
        `has a name for reference ${this.#references.length + 1} that cannot stand in a SAM line`,
      )
    if (this.#names.has(name))
      throw badHeader(`has reference ${this.#references.length + 1} under a name that another one has`)
    this.#names.add(name)
    this.#references.push({ name, length: view.getUint32(nameAt + nameSize, true) })
    this.#at = nameAt + nameSize + 4
    return true
  }

  #text(view: DataView): string {
    const bytes = new Uint8Array(view.buffer, view.byteOffset + 8, this.#textSize)
    const nul = bytes.indexOf(0)
    return decoder.decode(nul < 0 ? bytes : bytes.subarray(0, nul))
  }

  #within(size: number): void {
    if (size > maxHeaderSize)
      throw new HtsvaultError('HEADER_TOO_LARGE', `the BAM header is longer than ${maxHeaderSize} bytes`, {
        place: { virtualOffset: '0:0' },
      })
  }
}

/** The references with the M5 of their @SQ lines (SAMv1 §1.3). */
function withMd5(references: readonly BamReference[], text: string): readonly BamReference[] {
  const sums = new Map<string, string>()
  for (const [line] of text.matchAll(/^@SQ\t(?:.*\t)?M5:.*$/gm)) {
    const name = /\tSN:([^\t\r]+)/.exec(line)?.[1]
    const md5 = /\tM5:([^\t\r]+)/.exec(line)?.[1]
    if (name !== undefined && md5 !== undefined) sums.set(name, md5)
  }
  if (sums.size === 0) return references
  return references.map(reference => {
    const md5 = sums.get(reference.name)
    return md5 === undefined ? reference : { ...reference, md5 }
  })
}

function badHeader(what: string): HtsvaultError {
  return new HtsvaultError('BAM_HEADER_INVALID', `the BAM header ${what}`, {
    place: { virtualOffset: '0:0' },
    hint: 'see samtools view -H, and write it anew with samtools reheader',
  })
}
