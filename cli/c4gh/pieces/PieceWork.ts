import type { Backend } from '#shared/crypt4gh/Backend.ts'
import { openSegments } from '#shared/crypt4gh/body/openSegments.ts'
import { sealSegments } from '#shared/crypt4gh/body/sealSegments.ts'
import { SegmentOpener } from '#shared/crypt4gh/body/SegmentOpener.ts'
import { cipherSegmentBytes, segmentBytes } from '#shared/crypt4gh/sizes.ts'
import { ioBuffer } from '#shared/local/ioBuffer.ts'
import { readExactly, writeExactly } from '../../files/fdStreams.ts'

/** One body to encrypt or decrypt, file to file, in pieces that do not depend on each other. */
export interface PieceJob {
  readonly direction: 'encrypt' | 'decrypt'
  /** Open files: descriptors are the whole process's, so that worker threads use the same. */
  readonly input: number
  readonly output: number
  /** Where what is to be read begins, in bytes, and how long it is. */
  readonly inputStart: number
  readonly inputBytes: number
  /** Where the output is to begin, in bytes. */
  readonly outputStart: number
  readonly dataKeys: readonly Uint8Array[]
}

/** Segments in a piece: 1 MiB of plain bytes, which stays in the cache from read to write. */
const pieceSegments = 16
const plainPiece = pieceSegments * segmentBytes
const cipherPiece = pieceSegments * cipherSegmentBytes

const inputPiece = (job: PieceJob) => (job.direction === 'encrypt' ? plainPiece : cipherPiece)

export const pieceCount = (job: PieceJob): number => Math.ceil(job.inputBytes / inputPiece(job))

/** Does pieces of a job one after the other, with two buffers of its own. */
export class PieceWorker {
  readonly #job: PieceJob
  readonly #work: (input: Uint8Array, output: Uint8Array, piece: number) => number
  readonly #input: Uint8Array
  readonly #output: Uint8Array

  constructor(job: PieceJob, backend: Backend) {
    this.#job = job
    this.#input = ioBuffer(Math.min(cipherPiece, job.inputBytes))
    this.#output = ioBuffer(Math.min(cipherPiece, job.inputBytes + 28 * pieceSegments))
    if (job.direction === 'encrypt') {
      const cipher = backend.cipher(job.dataKeys[0]!)
      this.#work = (input, output) => sealSegments(input, output, cipher, backend)
    } else {
      const opener = new SegmentOpener(job.dataKeys, backend)
      this.#work = (input, output, piece) => openSegments(input, output, opener, piece * pieceSegments)
    }
  }

  /** Reads, transforms and writes one piece; gives the bytes it read. */
  run(piece: number): number {
    const { job, bytes, outputAt } = this.#place(piece)
    const input = this.#input.subarray(0, bytes)
    readExactly(job.input, input, job.inputStart + piece * inputPiece(job))
    const filled = this.#work(input, this.#output, piece)
    writeExactly(job.output, this.#output.subarray(0, filled), outputAt)
    return bytes
  }

  #place(piece: number) {
    const job = this.#job
    const bytes = Math.min(inputPiece(job), job.inputBytes - piece * inputPiece(job))
    const outputPiece = job.direction === 'encrypt' ? cipherPiece : plainPiece
    return { job, bytes, outputAt: job.outputStart + piece * outputPiece }
  }
}
