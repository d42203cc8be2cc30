import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface StatusEntry {
  readonly dataset: string
  readonly name: string
  readonly state: string
  readonly bytes: number
  readonly code?: string
  readonly id?: string
  readonly shards?: { readonly done: number; readonly of: number }
}

const root = join(import.meta.dirname, '..', '..')

/** A vault as a user starts it: a process of its own, a folder of its own, on a free port. */
export class VaultProcess {
  readonly data: string
  url = ''
  output = ''
  /** What it finds in its environment besides. */
  env: Readonly<Record<string, string>> = {}
  #child: ChildProcess | undefined

  constructor(data = mkdtempSync(join(tmpdir(), 'htsvault-e2e-'))) {
    this.data = data
  }

  async start(...args: string[]): Promise<this> {
    const child = spawn(
      process.execPath,
      ['cli/htsvault.js', 'serve', '--port', '0', '--data', this.data, ...args],
      {
        cwd: root,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, NODE_OPTIONS: '', ...this.env },
      },
    )
    this.#child = child
    this.output = ''
    await new Promise<void>((resolve, reject) => {
      const hear = (chunk: Buffer) => {
        this.output += chunk.toString()
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(this.output)
        if (!found) return
        this.url = found[0]
        resolve()
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
      child.once('exit', code => reject(new Error(`the vault ended with ${code}:\n${this.output}`)))
    })
    return this
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** Ends it as `Ctrl-C` does (or SIGKILL); gives its exit code. */
  async stop(signal: NodeJS.Signals = 'SIGINT', times = 1): Promise<number | null> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const ended = new Promise<number | null>(resolve => child.once('exit', resolve))
    for (let i = 0; i < times; i++) child.kill(signal)
    return ended
  }

  async remove(): Promise<void> {
    await this.stop('SIGKILL')
    rmSync(this.data, { recursive: true, force: true })
  }

  async status(): Promise<StatusEntry[]> {
    const reply = await fetch(`${this.url}/status`)
    return (await reply.json()) as StatusEntry[]
  }

  /** Waits until each of these files (`<dataset>/<name>`) is served, refused or failed. */
  async settled(...files: string[]): Promise<StatusEntry[]> {
    const limit = Date.now() + 100_000
    for (;;) {
      const status = await this.status()
      const found = files.map(file => status.find(s => `${s.dataset}/${s.name}` === file))
      if (found.every(s => s !== undefined && ['served', 'refused', 'failed'].includes(s.state)))
        return found as StatusEntry[]
      if (Date.now() > limit)
        throw new Error(`neither served nor refused nor failed: ${JSON.stringify(found)}\n${this.output}`)
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  }

  /** Uploads as `curl -T` does, and waits for the end. */
  async upload(file: string, path: string): Promise<StatusEntry> {
    const reply = await fetch(`${this.url}/inbox/${file}`, { method: 'PUT', body: await readFile(path) })
    if (!reply.ok) throw new Error(`upload of ${file}: ${reply.status} ${await reply.text()}`)
    const [entry] = await this.settled(file)
    return entry!
  }
}
