import { createReadStream } from 'node:fs'
import { BgzfReader } from '#shared/bgzf/BgzfReader.ts'

/** Every record of a BAM or a VCF, by a walk that knows nothing of indexes: half-open, 0-based. */
export interface WalkedFile {
  readonly records: number
  readonly refId: Int32Array
  readonly start: Int32Array
  readonly end: Int32Array
  /** The unit (a block in which a record begins) of each record. */
  readonly unit: Int32Array
  /** Where each unit begins in the file; one more, where the last one ends. */
  readonly offsets: readonly number[]
  /** Where the first unit behind the block at this offset begins. */
  unitAfter(offset: number): number
}

/** The bytes of the units in which a record that overlaps the region begins. */
export function leastBytes(
  file: WalkedFile,
  region: { readonly refId: number; readonly start: number; readonly end: number },
): number {
  let sum = 0
  let last = -1
  for (let i = 0; i < file.records; i++) {
    if (file.refId[i] !== region.refId || file.start[i]! >= region.end || file.end[i]! <= region.start)
      continue
    const unit = file.unit[i]!
    if (unit !== last) sum += file.offsets[unit + 1]! - file.offsets[unit]!
    last = unit
  }
  return sum
}

/** Walks a whole file; about 16 bytes of memory a record. */
export async function walkRecords(path: string, format: 'bam' | 'vcf'): Promise<WalkedFile> {
  let capacity = 1 << 20
  const columns = { refId: new Int32Array(capacity), start: new Int32Array(capacity), end: new Int32Array(capacity), unit: new Int32Array(capacity) } // prettier-ignore
  let records = 0
  const offsets: number[] = []
  const add = (refId: number, start: number, end: number, block: number) => {
    if (records === capacity) {
      capacity *= 2
      for (const key of Object.keys(columns) as (keyof typeof columns)[]) {
        const grown = new Int32Array(capacity)
        grown.set(columns[key])
        columns[key] = grown
      }
    }
    if (offsets.at(-1) !== block) offsets.push(block)
    columns.refId[records] = refId
    columns.start[records] = start
    columns.end[records] = end
    columns.unit[records++] = offsets.length - 1
  }

  let rest = Buffer.alloc(0)
  let restBlock = 0
  let position = 0
  const take = format === 'bam' ? bamRecord() : vcfRecord()
  const reader = new BgzfReader((plain, block) => {
    const carried = rest.length
    const bytes = Buffer.concat([rest, plain])
    let at = 0
    for (;;) {
      const size = take(bytes, at, (refId, start, end) =>
        add(refId, start, end, at < carried ? restBlock : block),
      )
      if (size === 0) break
      at += size
    }
    // What begins in a block that came before still does.
    if (at >= carried) restBlock = block
    rest = Buffer.from(bytes.subarray(at))
    if (plain.length > 0) position = block
  })
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) reader.push(chunk as Buffer)
  reader.finish()
  // The EOF marker is 28 bytes, and no unit.
  offsets.push(reader.offset - 28)
  if (position === 0 || rest.length > 0) throw new Error(`${path}: the walk did not end at a record`)
  return {
    records,
    ...columns,
    offsets,
    unitAfter: offset => offsets[firstAfter(offsets, offset)] ?? offsets.at(-1)!,
  }
}

function firstAfter(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! <= value) low = middle + 1
    else high = middle
  }
  return low
}

type Take = (bytes: Buffer, at: number, add: (refId: number, start: number, end: number) => void) => number

/** One record (SAM §4.2), or at first the header; 0 where it is not all there. */
function bamRecord(): Take {
  let headerRead = false
  return (bytes, at, add) => {
    if (!headerRead) {
      const size = bamHeaderSize(bytes)
      headerRead = size > 0
      return size
    }
    if (at + 4 > bytes.length) return 0
    const size = 4 + bytes.readInt32LE(at)
    if (at + size > bytes.length) return 0
    const start = bytes.readInt32LE(at + 8)
    const operations = bytes.readUInt16LE(at + 16)
    let cigar = at + 36 + bytes[at + 12]!
    let span = 0
    for (let i = 0; i < operations; i++, cigar += 4) {
      const operation = bytes.readUInt32LE(cigar)
      if ('MDN=X'.includes('MIDNSHP=X'[operation & 15]!)) span += operation >>> 4
    }
    add(bytes.readInt32LE(at + 4), start, start + Math.max(1, span))
    return size
  }
}

function bamHeaderSize(bytes: Buffer): number {
  if (bytes.length < 12) return 0
  let at = 8 + bytes.readInt32LE(4)
  if (at + 4 > bytes.length) return 0
  const references = bytes.readInt32LE(at)
  at += 4
  for (let i = 0; i < references; i++) {
    if (at + 4 > bytes.length) return 0
    at += 8 + bytes.readInt32LE(at)
  }
  return at <= bytes.length ? at : 0
}

/** One line; references are numbered as their contig lines come. */
function vcfRecord(): Take {
  const ids = new Map<string, number>()
  return (bytes, at, add) => {
    const newline = bytes.indexOf(10, at)
    if (newline < 0) return 0
    if (bytes[at] === 35) {
      const contig = /^##contig=<ID=([^,>]+)/.exec(bytes.toString('latin1', at, newline))
      if (contig) ids.set(contig[1]!, ids.size)
    } else {
      const [chrom, pos, , ref] = bytes.toString('latin1', at, Math.min(newline, at + 4096)).split('\t', 4)
      add(ids.get(chrom!)!, Number(pos) - 1, Number(pos) - 1 + ref!.length)
    }
    return newline + 1 - at
  }
}
