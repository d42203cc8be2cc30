import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, renameSync } from 'node:fs'

const size = 1 << 22
/** Longest piece that is added between two looks at how full the buffer is. */
const slack = 1 << 16

/** Text that is written into a program's standard input, through a buffer that is filled byte by byte. */
export class TextPipe {
  /** What is being filled; `at` is where. Between two calls of `ready`, at most 64 KiB may be added. */
  bytes = Buffer.allocUnsafeSlow(size)
  at = 0
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown[]>
  readonly #command: string
  readonly #out: string

  /** Runs a program whose standard output is the file `out`, under another name until it has ended well. */
  constructor(out: string, command: string, args: readonly string[]) {
    this.#command = command
    this.#out = out
    const file = openSync(`${out}.part`, 'w')
    this.#child = spawn(command, args, { stdio: ['pipe', file, 'inherit'] })
    closeSync(file)
    this.#ended = once(this.#child, 'close')
  }

  /** Gives the buffer away when it is nearly full. */
  ready(): Promise<void> | undefined {
    return this.at > size - slack ? this.#flush() : undefined
  }

  /** ASCII; a loop, which for the few characters that a column has is faster than Buffer.write. */
  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.bytes[this.at++] = text.charCodeAt(i)
  }

  byte(byte: number): void {
    this.bytes[this.at++] = byte
  }

  copy(from: Uint8Array, start: number, end: number): void {
    this.bytes.set(from.subarray(start, end), this.at)
    this.at += end - start
  }

  /** A decimal number, not negative. */
  number(value: number): void {
    let digits = 1
    for (let limit = 10; value >= limit; limit *= 10) digits++
    let at = (this.at += digits)
    for (let rest = value; at > this.at - digits; rest = Math.floor(rest / 10))
      this.bytes[--at] = 48 + (rest % 10)
  }

  async #flush(): Promise<void> {
    const full = this.bytes.subarray(0, this.at)
    this.bytes = Buffer.allocUnsafeSlow(size)
    this.at = 0
    if (!this.#child.stdin!.write(full)) await Promise.race([once(this.#child.stdin!, 'drain'), this.#ended])
  }

  /** @throws Error where the program fails */
  async end(): Promise<void> {
    await this.#flush()
    this.#child.stdin!.end()
    const [code] = await this.#ended
    if (code !== 0) throw new Error(`${this.#command} ended with ${String(code)}`)
    renameSync(`${this.#out}.part`, this.#out)
  }
}
