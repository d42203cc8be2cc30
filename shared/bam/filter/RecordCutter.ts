import { keepsTag, type RecordColumns } from '#shared/columns/RecordColumns.ts'
import { fieldAt, findCigarTag, fixedSize, hasCigarTag, softClip } from '../bamRecord.ts'
import { tagEnd } from '../tagEnd.ts'

const asterisk = 0x2a
const cigarTag = 'CG'

/** Takes the columns out of BAM records (SAMv1 §4.2) that were not asked for. */
export class RecordCutter {
  readonly #columns: RecordColumns
  /** By the two letters of a tag, the first one highest: 1 where it is kept. */
  readonly #tags = new Uint8Array(65_536)
  readonly #allTags: boolean

  constructor(columns: RecordColumns) {
    this.#columns = columns
    const { kind, names } = columns.tags
    this.#allTags = kind === 'but' && names.size === 0
    this.#tags.fill(kind === 'but' ? 1 : 0)
    for (const name of names) this.#tags[letters(name)] = keepsTag(columns, name) ? 1 : 0
  }

  /**
   * Copies the checked record of `size` bytes that begins at `at` of `from` to `to`, at `begin`, without what was not
   * asked for. Answers where it ends there: it is never longer than it was.
   * @throws HtsvaultError BAM_RECORD_INVALID where the tags of a record with a long CIGAR are cut off
   */
  cut(from: DataView, at: number, size: number, to: Uint8Array, begin: number): number {
    const { fields } = this.#columns
    const bytes = new Uint8Array(from.buffer, from.byteOffset + at, size)
    const out = new DataView(to.buffer, to.byteOffset + begin, size)
    to.set(bytes.subarray(0, fixedSize), begin)
    if (!fields.has('MAPQ')) out.setUint8(fieldAt.mappingQuality, 255)
    if (!fields.has('RNEXT')) out.setInt32(fieldAt.nextRefId, -1, true)
    if (!fields.has('PNEXT')) out.setInt32(fieldAt.nextPos, -1, true)
    if (!fields.has('TLEN')) out.setInt32(fieldAt.templateLength, 0, true)

    let end = begin + fixedSize
    const put = (start: number, stop: number) => {
      to.set(bytes.subarray(start, stop), end)
      end += stop - start
    }
    const nameSize = bytes[fieldAt.nameSize]!
    let next = fixedSize + nameSize
    if (fields.has('QNAME') || nameSize < 2) put(fixedSize, next)
    else {
      out.setUint8(fieldAt.nameSize, 2)
      to[end++] = asterisk
      to[end++] = 0
    }

    const bases = from.getInt32(at + fieldAt.bases, true)
    const cigarEnd = next + 4 * from.getUint16(at + fieldAt.cigarOps, true)
    const basesEnd = cigarEnd + ((bases + 1) >>> 1)
    const qualitiesEnd = basesEnd + bases
    const longCigar = hasCigarTag(from, at) && findCigarTag(from, at + qualitiesEnd, at + size) >= 0
    const cigarAt = end
    put(next, cigarEnd)
    if (fields.has('SEQ')) {
      put(cigarEnd, basesEnd)
      if (fields.has('QUAL')) put(basesEnd, qualitiesEnd)
      else {
        to.fill(0xff, end, end + bases)
        end += bases
      }
    } else {
      out.setInt32(fieldAt.bases, 0, true)
      // The soft clip that says that the CIGAR is in its tag is of all bases: none.
      if (longCigar) new DataView(to.buffer, to.byteOffset + cigarAt, 4).setUint32(0, softClip, true)
    }

    next = qualitiesEnd
    if (this.#allTags) put(next, size)
    else {
      while (next < size) {
        const stop = tagEnd(from, at + next, at + size) - at
        // What cannot be told apart comes as it is.
        if (stop < 0) put(next, size)
        else if (this.#keeps(bytes, next, longCigar)) put(next, stop)
        next = stop < 0 ? size : stop
      }
    }
    out.setInt32(0, end - begin - 4, true)
    return end
  }

  /** A CIGAR in a tag is the record's CIGAR, which always comes. */
  #keeps(bytes: Uint8Array, at: number, longCigar: boolean): boolean {
    const name = (bytes[at]! << 8) | bytes[at + 1]!
    return this.#tags[name] === 1 || (longCigar && name === letters(cigarTag))
  }
}

const letters = (name: string) => (name.charCodeAt(0) << 8) | name.charCodeAt(1)
