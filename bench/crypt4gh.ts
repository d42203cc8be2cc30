/**
 * Crypt4GH: whole runs of `htsvault c4gh` over 1 GiB, file to file and to nowhere, beside the Python reference; then
 * segments and headers in memory, beside `openssl speed`. All in one run, alternated, so that one machine's mood
 * falls on all of them alike; medians.
 *
 *     npx node bench/crypt4gh.ts [--mib 1024] [--rounds 5]
 *
 * Needs GNU time at /usr/bin/time, openssl, and the reference (`crypt4gh`) on PATH; what is missing is said.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { randomBytes } from 'node:crypto'
import { openSegments } from '#shared/crypt4gh/body/openSegments.ts'
import { sealSegments } from '#shared/crypt4gh/body/sealSegments.ts'
import { SegmentOpener } from '#shared/crypt4gh/body/SegmentOpener.ts'
import type { Backend } from '#shared/crypt4gh/Backend.ts'
import { openHeader } from '#shared/crypt4gh/header/openHeader.ts'
import { readHeader } from '#shared/crypt4gh/header/readHeader.ts'
import { reencryptHeader } from '#shared/crypt4gh/header/reencryptHeader.ts'
import { writeHeader } from '#shared/crypt4gh/header/writeHeader.ts'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { portableBackend } from '#shared/crypt4gh/portableBackend.ts'
import { cipherSize } from '#shared/crypt4gh/sizes.ts'

const { values } = parseArgs({
  options: { mib: { type: 'string', default: '1024' }, rounds: { type: 'string', default: '5' } },
})
const bytes = Number(values.mib) * 2 ** 20
const rounds = Number(values.rounds)
const folder = join(import.meta.dirname, 'data', 'crypt4gh')
const c4gh = `${process.execPath} ${join(import.meta.dirname, '..', 'cli', 'htsvault.js')} c4gh`

interface Measure {
  readonly wall: number
  readonly cpu: number
  /** Peak memory in MB. */
  readonly memory: number
}

const has = (tool: string) => spawnSync('which', [tool]).status === 0
const median = (list: number[]): number => list.sort((a, b) => a - b)[Math.floor(list.length / 2)]!
const best = (list: number[]): number => Math.min(...list)

async function makeInput(): Promise<void> {
  mkdirSync(folder, { recursive: true })
  if (existsSync(join(folder, 'plain')) && statSync(join(folder, 'plain')).size === bytes) return
  const stream = createWriteStream(join(folder, 'plain'))
  for (let at = 0; at < bytes; at += 2 ** 20)
    if (!stream.write(randomBytes(2 ** 20))) await once(stream, 'drain')
  stream.end()
  await once(stream, 'finish')
}

function timed(command: string): Measure {
  const result = spawnSync('/usr/bin/time', ['-f', '%e %U %S %M', 'sh', '-c', `exec ${command}`], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (result.status !== 0) throw new Error(`${command}: ${result.stderr}`)
  const [wall, user, system, kilobytes] = result.stderr.trim().split('\n').at(-1)!.split(' ').map(Number)
  return { wall: wall!, cpu: user! + system!, memory: kilobytes! / 1000 }
}

function compareRuns(): void {
  const reference = has('crypt4gh')
  if (!reference) console.log('crypt4gh (the Python reference) is not on PATH: left out')
  const commands: Record<string, Record<string, string>> = {
    'encrypt to a file': {
      ...(reference && { reference: 'crypt4gh encrypt --sk a.sec --recipient_pk a.pub < plain > out' }),
      'one thread': `${c4gh} encrypt --force --threads 1 -p a.pub plain`,
      'two threads': `${c4gh} encrypt --force --threads 2 -p a.pub plain`,
    },
    'encrypt to nowhere': {
      ...(reference && { reference: 'crypt4gh encrypt --sk a.sec --recipient_pk a.pub < plain > /dev/null' }),
      'one thread': `${c4gh} encrypt -p a.pub < plain > /dev/null`,
    },
    'decrypt to a file': {
      ...(reference && { reference: 'crypt4gh decrypt --sk a.sec < plain.c4gh > out' }),
      'one thread': `${c4gh} decrypt --force --threads 1 -s a.sec --output-dir to plain.c4gh`,
      'two threads': `${c4gh} decrypt --force --threads 2 -s a.sec --output-dir to plain.c4gh`,
    },
    'decrypt to nowhere': {
      ...(reference && { reference: 'crypt4gh decrypt --sk a.sec < plain.c4gh > /dev/null' }),
      'one thread': `${c4gh} decrypt -s a.sec < plain.c4gh > /dev/null`,
    },
  }
  mkdirSync(join(folder, 'to'), { recursive: true })
  execFileSync('sh', ['-c', `${c4gh} keygen --force --nocrypt --sk a.sec --pk a.pub`], {
    cwd: folder,
    stdio: 'ignore',
  })
  for (const [work, ways] of Object.entries(commands)) {
    const measures = new Map(Object.keys(ways).map(way => [way, [] as Measure[]]))
    for (let round = 0; round < rounds; round++)
      for (const [way, command] of Object.entries(ways)) measures.get(way)!.push(timed(command))
    const base = measures.get('reference')?.map(({ wall }) => wall)
    for (const [way, list] of measures) {
      const walls = list.map(({ wall }) => wall)
      const wall = median(walls)
      const speed = bytes / 1e6 / wall
      const ratio = base ? `, ${(median(base) / wall).toFixed(2)} times the reference` : ''
      const cpu = median(list.map(m => m.cpu))
      const memory = Math.max(...list.map(m => m.memory))
      console.log(
        `${work.padEnd(20)} ${way.padEnd(12)} ${wall.toFixed(2)} s (best ${best(walls).toFixed(2)}), ${speed.toFixed(0)} MB/s, CPU ${cpu.toFixed(2)} s, peak ${memory.toFixed(0)} MB${ratio}`,
      )
    }
  }
}

/** Bytes in a second over at least half a second. */
function rate(bytesEach: number, act: () => void): number {
  for (let i = 0; i < 20; i++) act()
  let times = 0
  const start = performance.now()
  while (performance.now() - start < 500) {
    act()
    times++
  }
  return (bytesEach * times) / ((performance.now() - start) / 1000)
}

function opensslSpeed(): number {
  const out = spawnSync(
    'openssl',
    ['speed', '-elapsed', '-seconds', '1', '-bytes', '65536', '-evp', 'chacha20-poly1305'],
    {
      encoding: 'utf8',
    },
  ).stdout
  return Number(/ChaCha20-Poly1305\s+([\d.]+)k/i.exec(out)?.[1]) * 1000
}

function segmentsInMemory(backend: Backend): { seal: number; open: number } {
  const key = randomBytes(32)
  const plain = randomBytes(16 * 65536)
  const body = new Uint8Array(cipherSize(plain.length))
  const cipher = backend.cipher(key)
  const seal = rate(plain.length, () => sealSegments(plain, body, cipher, backend))
  const opener = new SegmentOpener([key], backend)
  const open = rate(plain.length, () => openSegments(body, plain, opener, 0))
  return { seal, open }
}

function compareSegments(): void {
  const rows: { openssl: number; seal: number; open: number; portable: number }[] = []
  for (let round = 0; round < rounds; round++)
    rows.push({
      openssl: has('openssl') ? opensslSpeed() : NaN,
      ...segmentsInMemory(nodeBackend),
      portable: segmentsInMemory(portableBackend).seal,
    })
  const openssl = median(rows.map(r => r.openssl))
  const tell = (name: string, value: number) =>
    console.log(
      `${name.padEnd(34)} ${(value / 1e6).toFixed(0)} MB/s, ${((100 * value) / openssl).toFixed(0)} % of openssl`,
    )
  tell('openssl speed, 64 KiB, one core', openssl)
  tell('segments in memory, encrypt', median(rows.map(r => r.seal)))
  tell('segments in memory, decrypt', median(rows.map(r => r.open)))
  tell('the portable backend, encrypt', median(rows.map(r => r.portable)))
}

function headerOperations(): void {
  for (const backend of [nodeBackend, portableBackend]) {
    const reader = generateKeyPair(backend)
    const content = { dataKeys: [randomBytes(32)], recipients: [reader.publicKey] }
    const header = readHeader(writeHeader(content, backend))
    const each: Record<string, () => void> = {
      make: () => writeHeader(content, backend),
      open: () => openHeader(header, reader, backend),
      're-encrypt': () =>
        reencryptHeader(header, { keys: [reader], recipients: [reader.publicKey] }, backend),
    }
    for (const [name, act] of Object.entries(each)) {
      const runs = Array.from({ length: rounds }, () => rate(1, act))
      console.log(`headers, ${backend.name}, ${name}: ${median(runs).toFixed(0)} a second`)
    }
  }
}

const cpu = /model name\s*: (.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown CPU'
console.log(
  `${cpu}, Node ${process.version}, OpenSSL ${process.versions.openssl} inside; ${values.mib} MiB, ${rounds} rounds\n`,
)
compareSegments()
headerOperations()
await makeInput()
compareRuns()
rmSync(folder, { recursive: true })
