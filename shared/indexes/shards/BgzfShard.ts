import { BgzfReader } from '#shared/bgzf/BgzfReader.ts'
import { eofMarker } from '#shared/bgzf/bgzfBlock.ts'
import type { ScanRange } from '#shared/bgzf/ScanRange.ts'
import { blockOf, virtualOffset, type VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { HtsvaultError, type ErrorReport } from '#shared/errors.ts'
import type { RecordScan } from '../scan/RecordScan.ts'
import { scanBam } from '../scan/scanBam.ts'
import { scanBcf } from '../scan/scanBcf.ts'
import { scanVcf } from '../scan/scanVcf.ts'
import { findBlock, findBlockBytes } from './findBlock.ts'
import { guessRecord, type GuessRecord } from './guessRecord.ts'
import { nothingFound } from './nothingFound.ts'
import type { ShardIndexer } from './ShardIndexer.ts'
import type { ShardResult } from './ShardResult.ts'
import type { ShardFacts, ShardTask } from './ShardTask.ts'

/** Plain bytes in which a first record is looked for: at first, and at most. */
const firstLook = 1 << 18
const lastLook = 1 << 25

interface Block {
  readonly plain: Uint8Array
  readonly offset: number
  readonly size: number
}

/** A shard of a BAM, VCF or BCF file. */
export class BgzfShard implements ShardIndexer {
  readonly from: number
  readonly #facts: Exclude<ShardFacts, { format: 'CRAM' }>
  /** Records that begin here or further on are the next shard's. */
  readonly #limit: number
  readonly #guess: GuessRecord
  #start: VirtualOffset | undefined
  /** The first bytes, until there are enough of them to find a block; then the reader takes them. */
  #head: Uint8Array | undefined = new Uint8Array(0)
  #reader: BgzfReader | undefined
  /** The first blocks, until there are enough of them to find a record; then the scan takes them. */
  readonly #blocks: Block[] = []
  #plainBytes = 0
  #look = firstLook
  #scan: RecordScan | undefined
  #done = false
  #error: ErrorReport | undefined

  constructor({ range, last, start }: ShardTask, facts: Exclude<ShardFacts, { format: 'CRAM' }>) {
    this.#facts = facts
    this.#limit = last ? Infinity : virtualOffset(range.end, 0)
    this.#guess = guessRecord(facts)
    this.from = start === undefined ? range.start : blockOf(start)
    if (start === undefined) return
    this.#begin(start)
    this.#read(this.from)
    this.#done = start >= this.#limit
  }

  push(chunk: Uint8Array): boolean {
    if (!this.#done) this.#try(() => this.#take(chunk))
    return !this.#done
  }

  finish(): ShardResult {
    if (!this.#done) this.#try(() => this.#end())
    // Unless it was done before, or is because of an error.
    const ended = !this.#done
    const scan = this.#scan
    if (!scan || this.#start === undefined) return nothingFound
    let { findings } = nothingFound
    this.#try(() => (findings = scan.findings()))
    const error = this.#error
    return {
      start: this.#start,
      stop: scan.end,
      findings,
      lines: scan.lines,
      ...(ended && { end: { size: this.#reader!.offset, eof: eofMarker } }),
      ...(error && { error }),
    }
  }

  #take(chunk: Uint8Array): void {
    if (this.#reader) {
      this.#reader.push(chunk)
      return
    }
    const head = this.#head!
    if (head.length === 0 && chunk.length >= findBlockBytes) {
      this.#search(chunk, false)
      return
    }
    const joined = new Uint8Array(head.length + chunk.length)
    joined.set(head)
    joined.set(chunk, head.length)
    this.#head = joined
    if (joined.length >= findBlockBytes) this.#search(joined, false)
  }

  /** The file ends here. */
  #end(): void {
    if (!this.#reader) this.#search(this.#head!, true)
    if (this.#done) return
    this.#reader!.finish()
    if (!this.#scan) this.#guessStart(true)
    this.#finishScan()
  }

  #finishScan(): void {
    if (!this.#done) this.#scan!.finish()
  }

  /** Looks for the first block. */
  #search(head: Uint8Array, ended: boolean): void {
    const at = findBlock(head, ended)
    this.#head = undefined
    const offset = this.from + at
    if (at === -1 || virtualOffset(offset, 0) >= this.#limit) this.#stop()
    else this.#read(offset).push(head.subarray(at))
  }

  #read(offset: number): BgzfReader {
    return (this.#reader = new BgzfReader(
      (plain, at, size) => this.#block({ plain, offset: at, size }),
      offset,
    ))
  }

  #block(block: Block): void {
    if (this.#scan) {
      this.#scan.block(block.plain, block.offset, block.size)
      if (this.#scan.end >= this.#limit) this.#stop()
      return
    }
    // The reader's block is valid until we return.
    this.#blocks.push({ ...block, plain: block.plain.slice() })
    this.#plainBytes += block.plain.length
    if (this.#plainBytes >= this.#look) this.#guessStart(false)
  }

  /** Looks for the first record. */
  #guessStart(ended: boolean): void {
    const at = this.#guess(this.#plain(), ended)
    this.#look = Math.min(2 * this.#look, lastLook)
    if (at === -1) {
      if (this.#plainBytes >= lastLook) this.#stop()
      return
    }
    const blocks = this.#blocks.splice(0)
    let first = 0
    let within = at
    // What begins at the end of a block has the offset of the next one, if that is an empty one too.
    while (first < blocks.length && within > 0 && within >= blocks[first]!.plain.length)
      within -= blocks[first++]!.plain.length
    const offset = blocks[first]?.offset ?? this.#reader!.offset
    this.#begin(virtualOffset(offset, within))
    if (this.#start! >= this.#limit) this.#stop()
    for (const block of blocks.slice(first)) if (!this.#done) this.#block(block)
  }

  #plain(): Uint8Array {
    const plain = new Uint8Array(this.#plainBytes)
    let at = 0
    for (const block of this.#blocks) {
      plain.set(block.plain, at)
      at += block.plain.length
    }
    return plain
  }

  #begin(start: VirtualOffset): void {
    this.#start = start
    this.#scan = openScan(this.#facts, { start, limit: this.#limit })
  }

  #stop(): void {
    this.#done = true
    this.#reader?.stop()
  }

  /** What is wrong counts only where the start is known: else the shard may have begun anywhere. */
  #try(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof HtsvaultError)) throw error
      this.#stop()
      if (this.#scan) this.#error ??= this.#scan.explain(error).toReport()
    }
  }
}

function openScan(facts: Exclude<ShardFacts, { format: 'CRAM' }>, range: ScanRange): RecordScan {
  switch (facts.format) {
    case 'BAM':
      return scanBam(undefined, { ...range, facts })
    case 'VCF':
      return scanVcf(undefined, range)
    case 'BCF':
      return scanBcf({ ...range, facts })
  }
}
