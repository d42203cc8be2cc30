import { blockOf, virtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { CramScanner } from '#shared/cram/CramScanner.ts'
import { HtsvaultError, type ErrorReport } from '#shared/errors.ts'
import { CramGatherer } from '../scan/CramGatherer.ts'
import type { FileEnd } from '../scan/Findings.ts'
import { noText } from '../scan/TextPlace.ts'
import { findContainer, findContainerBytes } from './findContainer.ts'
import { nothingFound } from './nothingFound.ts'
import type { ShardIndexer } from './ShardIndexer.ts'
import type { ShardResult } from './ShardResult.ts'
import type { ShardFacts, ShardTask } from './ShardTask.ts'

type CramFacts = Extract<ShardFacts, { format: 'CRAM' }>

/** A shard of a CRAM file. */
export class CramShard implements ShardIndexer {
  readonly from: number
  readonly #facts: CramFacts
  /** Containers that begin here or further on are the next shard's. */
  readonly #limit: number
  readonly #gatherer: CramGatherer
  #start: number | undefined
  #scanner: CramScanner | undefined
  /** Bytes in which a container is looked for, and where in the file they begin. */
  #head = new Uint8Array(0)
  #headAt: number
  #done = false
  #error: ErrorReport | undefined

  constructor({ range, last, start }: ShardTask, facts: CramFacts) {
    this.#facts = facts
    this.#limit = last ? Infinity : range.end
    this.#gatherer = new CramGatherer(facts.references)
    this.from = this.#headAt = start === undefined ? range.start : blockOf(start)
    if (start !== undefined) this.#begin(this.from)
  }

  push(chunk: Uint8Array): boolean {
    if (!this.#done) this.#try(() => this.#take(chunk))
    return !this.#done
  }

  finish(): ShardResult {
    let end: FileEnd | undefined
    if (!this.#done)
      this.#try(() => {
        if (!this.#scanner) this.#search(this.#head, true)
        if (!this.#scanner || this.#done) return
        const eof = this.#scanner.finish()
        end = { size: eof.size, eof: eof.bytes }
      })
    let { findings } = nothingFound
    this.#try(() => (findings = this.#gatherer.findings()))
    if (this.#start === undefined) return nothingFound
    const error = this.#error
    return {
      start: virtualOffset(this.#start, 0),
      stop: virtualOffset(this.#scanner!.end, 0),
      findings,
      lines: noText,
      ...(end && !error && { end }),
      ...(error && { error }),
    }
  }

  #take(chunk: Uint8Array): void {
    if (this.#scanner) {
      this.#scanner.push(chunk)
      this.#done = this.#scanner.done
      return
    }
    const joined = new Uint8Array(this.#head.length + chunk.length)
    joined.set(this.#head)
    joined.set(chunk, this.#head.length)
    this.#search(joined, false)
  }

  /** Looks for the first container. */
  #search(bytes: Uint8Array, ended: boolean): void {
    const at = findContainer(bytes, this.#facts.definition, ended)
    if (at === -1) {
      const keep = Math.max(0, bytes.length - findContainerBytes)
      this.#headAt += keep
      this.#head = Uint8Array.from(bytes.subarray(keep))
      this.#done = ended || this.#headAt >= this.#limit
      return
    }
    const start = this.#headAt + at
    if (start >= this.#limit) {
      this.#done = true
      return
    }
    this.#begin(start)
    this.#take(bytes.subarray(at))
  }

  #begin(start: number): void {
    this.#start = start
    const range = { start, limit: this.#limit, definition: this.#facts.definition }
    const sink = { header: () => undefined, slice: this.#gatherer.slice.bind(this.#gatherer) }
    this.#scanner = new CramScanner(sink, range)
    this.#done = start >= this.#limit
  }

  #try(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof HtsvaultError)) throw error
      this.#done = true
      this.#error ??= error.toReport()
    }
  }
}
