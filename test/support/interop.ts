import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, describe, test } from '@jest/globals'

/** Set where a missing tool or folder is a failure (in CI), not a reason to skip. */
const required = process.env['HTSVAULT_REQUIRE_INTEROP'] === '1'

const dataFolder = join(import.meta.dirname, '..', '..', '..', 'shared', 'data')

/** A tool may have several names; a name not listed here is its own only one. */
const otherNames: Record<string, readonly string[]> = {
  chromium: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
}

/** Where on PATH a tool is, or undefined. `python:NAME` is a module of the `python3` on PATH. */
export function toolPath(name: string): string | undefined {
  if (name.startsWith('python:'))
    return pythonHas(name.slice('python:'.length)) ? toolPath('python3') : undefined
  for (const folder of (process.env['PATH'] ?? '').split(delimiter))
    for (const each of otherNames[name] ?? [name]) {
      const path = join(folder, each)
      if (folder !== '' && isExecutable(path)) return path
    }
  return undefined
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function pythonHas(module: string): boolean {
  const script = 'import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)'
  return spawnSync('python3', ['-c', script, module], { timeout: 30_000 }).status === 0
}

/**
 * `describe` where all the tools are on PATH; elsewhere one that skips with a word, or, with
 * HTSVAULT_REQUIRE_INTEROP=1, fails. The body of a skipped suite is not run.
 */
export function requireTools(...names: string[]): typeof describe {
  const missing = names.filter(name => toolPath(name) === undefined)
  return missing.length === 0 ? describe : standIn(`not on PATH: ${missing.join(', ')}`)
}

/**
 * A file or folder of the shared test data (a folder beside the repository), or undefined.
 * @throws Error where it is missing and HTSVAULT_REQUIRE_INTEROP=1
 */
export function sharedData(relativePath: string): string | undefined {
  const path = join(dataFolder, relativePath)
  if (existsSync(path)) return path
  if (required) throw new Error(`the shared test data is missing: ../shared/data/${relativePath}`)
  return undefined
}

/** `describe` where the shared test data holds all these paths; elsewhere as `requireTools`. */
export function describeWithData(...relativePaths: string[]): typeof describe {
  const missing = relativePaths.filter(path => !existsSync(join(dataFolder, path)))
  return missing.length === 0
    ? describe
    : standIn(`missing: ${missing.map(p => `../shared/data/${p}`).join(', ')}`)
}

/** A `describe` that registers, in place of the suite's tests, one that says why they are not run. */
function standIn(reason: string): typeof describe {
  const suite = (name: unknown) =>
    describe(String(name), () => {
      if (!required) test.skip(`skipped, ${reason}`, () => undefined)
      else
        test('has what it needs', () => {
          throw new Error(`${reason} (HTSVAULT_REQUIRE_INTEROP=1: nothing may be skipped)`)
        })
    })
  const each = () => suite
  return Object.assign(suite, {
    each,
    only: Object.assign(suite, { each }),
    skip: Object.assign(suite, { each }),
  })
}

export interface RunOptions {
  readonly input?: Uint8Array | string
  /** Added to the environment; `undefined` takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** In milliseconds; 120,000 unless told. */
  readonly timeLimit?: number
}

export interface RunResult {
  readonly stdout: Buffer
  readonly stderr: string
  readonly code: number
}

/** htslib looks a CRAM's reference up on the network when nothing says otherwise: here it finds nothing. */
const offline = { REF_PATH: '/nonexistent/%s', REF_CACHE: undefined }

/**
 * Runs a program to its end, without a shell, and gives what it wrote and its exit code.
 * @throws Error where it does not start, is killed by a signal, or passes the time limit
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { input = '', env = {}, cwd, timeLimit = 120_000 } = options
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...offline, ...env },
      ...(cwd !== undefined && { cwd }),
      timeout: timeLimit,
      killSignal: 'SIGKILL',
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    // A program that does not read all of its input (`head`) closes the pipe: no failure of the run.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const said = Buffer.concat(stderr).toString()
      if (code !== null) resolve({ stdout: Buffer.concat(stdout), stderr: said, code })
      else reject(new Error(`${command} ended by ${signal ?? 'nothing'} (limit ${timeLimit} ms): ${said}`))
    })
  })
}

/**
 * What a program writes to its standard output.
 * @throws Error with what it wrote to standard error where its exit code is not 0
 */
export async function output(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Buffer> {
  const { stdout, stderr, code } = await run(command, args, options)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${stderr}`)
  return stdout
}

/** Makes a folder that is removed after the tests of the file or suite in whose body it is called. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'htsvault-test-'))
  afterAll(() => rmSync(path, { recursive: true, force: true }))
  return path
}
