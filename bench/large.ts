/**
 * The ingest of a file by shards against one pass: wall time, processor time, memory. `--workers`: threads, as `npm
 * start -- --workers N` has them. `--shards`: each shard in a process of its own, `--at-once` of them, and all in one.
 *
 *     npx node bench/generate.ts --scale 5 bam
 *     npx node bench/large.ts --scale 5 [--workers 2,4,8] [--shards 1,2,4,8] [--at-once 2] [--runs N]
 *
 * `--encrypted`: of an upload that is Crypt4GH for the vault already. `--file PATH` takes another file; `--workers ''` or `--shards ''` leaves these out. Needs GNU time, and beside the file
 * twice its size on the disk.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  createReadStream,
  createWriteStream,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
} from 'node:fs'
import { enableCompileCache } from 'node:module'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { ingestByThreads } from '#cli/serve/shards/ingestByThreads.ts'
import { encryptStream } from '#shared/crypt4gh/encryptStream.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { folderStore } from '#shared/local/folderStore.ts'
import { keyFile } from '#shared/local/keyFile.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import { ingestInShards } from '#shared/vault/large/ingestInShards.ts'
import { planLarge } from '#shared/vault/large/planLarge.ts'
import { publishLarge } from '#shared/vault/large/publishLarge.ts'
import { workShard } from '#shared/vault/large/workShard.ts'
import { benchFile } from './generate/benchFile.ts'

const { values, positionals } = parseArgs({
  options: {
    file: { type: 'string' },
    scale: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2,4,8' },
    shards: { type: 'string', default: '1,2,4,8' },
    'at-once': { type: 'string', default: '2' },
    encrypted: { type: 'boolean', default: false },
    runs: { type: 'string', default: '1' },
  },
  allowPositionals: true,
})

const key = 'bench/x'
const work = 'bench'
const partBytes = 16 << 20

const portsOf = (folder: string) => ({
  inbox: folderStore(join(folder, 'inbox')),
  vault: folderStore(join(folder, 'vault')),
  keys: keyFile(folder),
})

/** What one process does. */
async function step([what, data, number]: string[]): Promise<void> {
  const ports = portsOf(data!)
  const run: Record<string, () => Promise<{ readonly state: string }>> = {
    'one-pass': () => ingestUpload(ports, key),
    threads: () => {
      // As the command does: threads then read compiled modules.
      enableCompileCache()
      return ingestByThreads(ports, key, { data: data!, workers: Number(number) })
    },
    warm: () => ingestInShards(ports, key, { cuts: () => ({ partBytes, shardParts: Number(number) }) }),
    shard: () => workShard(ports, work, Number(number)),
    publish: () => publishLarge(ports, work),
  }
  const end = await run[what!]!()
  if (end.state !== 'served' && end.state !== 'done') throw new Error(JSON.stringify(end))
}

interface Figures {
  /** Seconds. */
  readonly wall: number
  readonly cpu: number
  /** MB at most. */
  readonly memory: number
}

async function measure(...args: string[]): Promise<Figures> {
  const child = spawn('time', ['-f', '%e %U %S %M', process.execPath, import.meta.filename, ...args], {
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  let text = ''
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(text)
  const [wall, user, system, kilobytes] = text.trim().split('\n').at(-1)!.split(' ').map(Number)
  return { wall: wall!, cpu: user! + system!, memory: kilobytes! / 1000 }
}

/** A vault beside the file, with a link to it as its upload, or that encrypted. */
async function vaultWith(path: string): Promise<string> {
  const folder = mkdtempSync(join(dirname(path), 'large-'))
  const upload = join(folder, 'inbox', key)
  mkdirSync(dirname(upload), { recursive: true })
  if (!values.encrypted) linkSync(path, upload)
  else {
    const { publicKey } = await portsOf(folder).keys.keyPair()
    const plain = createReadStream(path, { highWaterMark: 1 << 20 })
    await pipeline(encryptStream(plain, { recipients: [publicKey] }, nodeBackend), createWriteStream(upload))
  }
  return folder
}

/** A whole ingest in one process. */
async function inOneProcess(path: string, what: string, ...args: number[]): Promise<Figures> {
  const folder = await vaultWith(path)
  try {
    return await measure(what, folder, ...args.map(String))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const shardPartsOf = (size: number, count: number) => Math.ceil(size / partBytes / count)

async function inShards(path: string, count: number, atOnce: number) {
  const folder = await vaultWith(path)
  try {
    const ports = portsOf(folder)
    const began = performance.now()
    const before = process.cpuUsage()
    const { etag, size } = (await ports.inbox.head(key))!
    const shardParts = shardPartsOf(size, count)
    const planned = await planLarge(ports, { work, key, etag }, () => ({ partBytes, shardParts }))
    if (planned.state !== 'planned') throw new Error(JSON.stringify(planned))
    const { user, system } = process.cpuUsage(before)
    const workers: Figures[] = []
    let next = 0
    const run = async () => {
      while (next < planned.shards) workers.push(await measure('shard', folder, String(next++)))
    }
    await Promise.all(Array.from({ length: atOnce }, run))
    const publish = await measure('publish', folder)
    const sum = workers.reduce((total, { cpu }) => total + cpu, 0)
    return {
      shards: planned.shards,
      wall: (performance.now() - began) / 1000,
      cpu: (user + system) / 1e6 + sum + publish.cpu,
      workerCpu: sum / planned.shards,
      workerMemory: Math.max(...workers.map(({ memory }) => memory)),
      publish,
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const middle = <T>(all: readonly T[], of: (each: T) => number): T =>
  [...all].sort((a, b) => of(a) - of(b))[all.length >> 1]!

const numbers = (list: string) => list.split(',').filter(Boolean).map(Number)

const shown = ({ wall, cpu, memory }: Figures) =>
  `wall ${wall.toFixed(1)} s, CPU ${cpu.toFixed(1)} s, ${memory.toFixed(0)} MB`

async function compare(): Promise<void> {
  const path = values.file ?? benchFile('bam', Number(values.scale))
  const { size } = statSync(path)
  console.log(`${(size / 1e6).toFixed(0)} MB; medians of ${values.runs} by CPU`)
  const whole: Figures[] = []
  const threads = numbers(values.workers).map(count => ({ count, runs: [] as Figures[] }))
  const processes = numbers(values.shards).map(count => ({
    count,
    warm: [] as Figures[],
    runs: [] as Awaited<ReturnType<typeof inShards>>[],
  }))
  for (let i = 0; i < Number(values.runs); i++) {
    whole.push(await inOneProcess(path, 'one-pass'))
    for (const { count, runs } of threads) runs.push(await inOneProcess(path, 'threads', count))
    for (const { count, warm, runs } of processes) {
      // All shards one after another, as a warm function does them.
      warm.push(await inOneProcess(path, 'warm', shardPartsOf(size, count)))
      runs.push(await inShards(path, count, Number(values['at-once'])))
    }
  }
  const one = middle(whole, ({ cpu }) => cpu)
  const more = ({ cpu }: Pick<Figures, 'cpu'>) => `${((100 * cpu) / one.cpu - 100).toFixed(0)} % CPU`
  console.log(`one pass (--workers 1)   ${shown(one)}`)
  for (const { count, runs } of threads) {
    const it = middle(runs, ({ cpu }) => cpu)
    console.log(`--workers ${String(count).padEnd(2)}             ${shown(it)} in all; ${more(it)}`)
  }
  if (processes.length > 0) console.log(`shards as processes, ${values['at-once']} at once:`)
  for (const { warm, runs } of processes) {
    const together = middle(warm, ({ cpu }) => cpu)
    const it = middle(runs, ({ cpu }) => cpu)
    console.log(
      `${String(it.shards).padStart(3)} shards wall ${it.wall.toFixed(1)} s, CPU ${it.cpu.toFixed(1)} s (${more(it)}), ` +
        `a worker CPU ${it.workerCpu.toFixed(2)} s, ${it.workerMemory.toFixed(0)} MB; ` +
        `all in one process ${shown(together)}; publish ${shown(it.publish)}`,
    )
  }
}

if (positionals.length > 0) await step(positionals)
else await compare()
