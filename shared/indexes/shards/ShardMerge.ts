import { formatVirtualOffset, virtualOffset, type VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { unplaced } from '#shared/cram/ContainerHeader.ts'
import { HtsvaultError, type ErrorReport } from '#shared/errors.ts'
import { emptyLineAmongRecords } from '#shared/vcf/VcfScanner.ts'
import { RunTable } from '../binning/RunTable.ts'
import { UnitTable } from '../blockMap/UnitTable.ts'
import type { IndexedFile } from '../FileIndexer.ts'
import { unsortedCram } from '../scan/CramGatherer.ts'
import type { FileHeader } from '../scan/FileHeader.ts'
import { fileOf } from '../scan/fileOf.ts'
import type { CramStart, FileEnd, Findings } from '../scan/Findings.ts'
import type { ShardResult } from './ShardResult.ts'
import type { ShardTask } from './ShardTask.ts'

const newline = 10

/**
 * Joins what the shards of a file found, from the first to the last, to what one pass over the file gives.
 *
 * It is exact by induction: the header tells where the first shard begins, and each shard where the next one has to.
 * A result that begins elsewhere was guessed wrong; whatever it says, of errors too, is passed over.
 */
export class ShardMerge {
  readonly #header: FileHeader
  readonly #runs = new RunTable()
  readonly #units = new UnitTable()
  readonly #contigs = new Map<string, number>()
  readonly #crai: Uint8Array[] = []
  #records = 0
  #unplaced = 0
  #furthest = 0
  #lines: number
  #emptyLine = 0
  #lastOfCram: CramStart | undefined
  /** Where the next record begins. */
  #at: VirtualOffset
  #end: FileEnd | undefined

  constructor(header: FileHeader) {
    this.#header = header
    this.#at = header.end
    this.#lines = header.format === 'VCF' ? header.bytes.reduce((n, byte) => n + +(byte === newline), 0) : 0
  }

  /** Whether a shard has nothing to give: what begins in its range was taken with the one before, or nothing does. */
  isEmpty({ range, last }: ShardTask): boolean {
    return this.#end !== undefined || (!last && this.#at >= virtualOffset(range.end, 0))
  }

  /** The task as it is to be done anew, from the exact start, where a result does not begin there. */
  redo(task: ShardTask, result: ShardResult): ShardTask | undefined {
    return result.start === this.#at ? undefined : { ...task, start: this.#at }
  }

  /**
   * Takes the result of the next shard that is not empty.
   * @throws HtsvaultError what is wrong with the file, as one pass has it; Error where it is to be done anew
   */
  add(result: ShardResult): void {
    const { start, stop, findings, lines, end, error } = result
    if (start !== this.#at) throw new Error('the shard does not begin where the one before it stopped')
    this.#checkEmptyLines(result)
    this.#append(findings, start)
    if (error) throw this.#counted(error, result)
    this.#at = stop
    this.#end = end
    this.#records += findings.records
    if (lines.emptyLine > 0) this.#emptyLine ||= this.#lines + lines.emptyLine
    this.#lines += lines.lines
  }

  /** The file's indexes, when its last shard was added. @throws HtsvaultError as `fileOf` */
  finish(): IndexedFile {
    if (!this.#end) throw new Error('the last shard of the file is missing')
    this.#runs.close(this.#at)
    const findings: Findings = {
      records: this.#records,
      runs: this.#runs,
      units: this.#units,
      contigs: [...this.#contigs.keys()],
      furthest: this.#furthest,
      crai: Buffer.concat(this.#crai),
      unplaced: this.#unplaced,
    }
    return fileOf(this.#header, findings, this.#end)
  }

  #append(findings: Findings, start: VirtualOffset): void {
    const ids = findings.contigs.map(name => this.#contigOf(name))
    const idOf = (refId: number) => (this.#header.format === 'VCF' && refId >= 0 ? ids[refId]! : refId)
    this.#checkCram(findings)
    try {
      this.#runs.append(findings.runs, start, idOf)
      this.#units.append(findings.units, idOf)
    } catch (error) {
      throw error instanceof HtsvaultError ? this.#atBorder(error) : error
    }
    this.#crai.push(findings.crai)
    this.#unplaced += findings.unplaced
    this.#furthest = Math.max(this.#furthest, findings.furthest)
  }

  #contigOf(name: string): number {
    const id = this.#contigs.get(name) ?? this.#contigs.size
    this.#contigs.set(name, id)
    return id
  }

  /** An empty line is wrong once a record follows it. */
  #checkEmptyLines({ start, findings }: ShardResult): void {
    if (this.#emptyLine === 0 || findings.runs.stretches.length === 0) return
    const place = { record: this.#records + 1, virtualOffset: formatVirtualOffset(start!) }
    throw emptyLineAmongRecords(this.#emptyLine).at(place)
  }

  #checkCram({ order }: Findings): void {
    if (!order) return
    const { first, last } = order
    const before = this.#lastOfCram
    if (before?.refId === first.refId && first.start < before.start && first.refId !== unplaced)
      throw unsortedCram(this.#records + first.record).at({ offset: first.offset })
    this.#lastOfCram = last
  }

  /** Records are counted from the file's first one. */
  #atBorder(error: HtsvaultError): HtsvaultError {
    const { record, virtualOffset: where } = error.place ?? {}
    const report = error.toReport()
    // Of a VCF, records are lines; of a CRAM, units are containers.
    if (record !== undefined && this.#header.format === 'VCF')
      return HtsvaultError.from({
        ...report,
        place: { ...report.place, record: record + this.#records, line: record + this.#lines },
      })
    if (record !== undefined)
      return HtsvaultError.from({ ...report, place: { ...report.place, record: record + this.#records } })
    return this.#header.format === 'CRAM' && where !== undefined
      ? error.at({ offset: Number(where.split(':')[0]) })
      : error
  }

  /** A shard's own error, its record and line counted from the file's first ones. */
  #counted(error: ErrorReport, { findings }: ShardResult): HtsvaultError {
    const { record, line } = error.place ?? {}
    const begunEmpty = error.code === 'VCF_EMPTY_LINE' && findings.records === 0 && this.#emptyLine > 0
    return HtsvaultError.from({
      ...error,
      place: {
        ...error.place,
        ...(record !== undefined && { record: record + this.#records }),
        ...(line !== undefined && { line: begunEmpty ? this.#emptyLine : line + this.#lines }),
      },
    })
  }
}
