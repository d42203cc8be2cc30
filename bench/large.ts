/**
 * The ingest of a file by shards, each worker a process of its own, against one pass: wall time, processor time, memory.
 *
 *     npx node bench/generate.ts bam && npx node bench/large.ts [--file PATH] [--shards 1,2,4,8] [--at-once 2] [--runs N]
 *
 * Needs GNU time.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { linkSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
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
    shards: { type: 'string', default: '1,2,4,8' },
    'at-once': { type: 'string', default: '2' },
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
async function step([what, folder, shard]: string[]): Promise<void> {
  const ports = portsOf(folder!)
  const end =
    what === 'one-pass'
      ? await ingestUpload(ports, key)
      : what === 'warm'
        ? await ingestInShards(ports, key, { cuts: () => ({ partBytes, shardParts: Number(shard) }) })
        : what === 'shard'
          ? await workShard(ports, work, Number(shard))
          : await publishLarge(ports, work)
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

/** A vault beside the file, with a link to it as its upload. */
function vaultWith(path: string): string {
  const folder = mkdtempSync(join(dirname(path), 'large-'))
  mkdirSync(join(folder, 'inbox', 'bench'), { recursive: true })
  linkSync(path, join(folder, 'inbox', key))
  return folder
}

async function onePass(path: string): Promise<Figures> {
  const folder = vaultWith(path)
  try {
    return await measure('one-pass', folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** All shards one after another in one process, as a warm function does them. */
async function warm(path: string, count: number): Promise<Figures> {
  const folder = vaultWith(path)
  try {
    return await measure('warm', folder, String(shardPartsOf(statSync(path).size, count)))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const shardPartsOf = (size: number, count: number) => Math.ceil(size / partBytes / count)

async function inShards(path: string, count: number, atOnce: number) {
  const folder = vaultWith(path)
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

async function compare(): Promise<void> {
  const path = values.file ?? benchFile('bam', 1)
  console.log(
    `${(statSync(path).size / 1e6).toFixed(0)} MB; ${values['at-once']} workers at once; medians of ${values.runs} by CPU`,
  )
  const counts = values.shards.split(',').map(Number)
  const whole: Figures[] = []
  const sharded = new Map(counts.map(count => [count, [] as Awaited<ReturnType<typeof inShards>>[]]))
  const warmed = new Map(counts.map(count => [count, [] as Figures[]]))
  for (let i = 0; i < Number(values.runs); i++) {
    whole.push(await onePass(path))
    for (const count of counts) warmed.get(count)!.push(await warm(path, count))
    for (const count of counts)
      sharded.get(count)!.push(await inShards(path, count, Number(values['at-once'])))
  }
  const one = middle(whole, ({ cpu }) => cpu)
  console.log(
    `one pass   wall ${one.wall.toFixed(1)} s, CPU ${one.cpu.toFixed(1)} s, ${one.memory.toFixed(0)} MB`,
  )
  for (const [count, runs] of sharded) {
    const together = middle(warmed.get(count)!, ({ cpu }) => cpu)
    const it = middle(runs, ({ cpu }) => cpu)
    console.log(
      `${String(it.shards).padStart(3)} shards wall ${it.wall.toFixed(1)} s, CPU ${it.cpu.toFixed(1)} s (${((100 * it.cpu) / one.cpu - 100).toFixed(0)} %), ` +
        `a worker CPU ${it.workerCpu.toFixed(2)} s, ${it.workerMemory.toFixed(0)} MB; ` +
        `all in one process CPU ${together.cpu.toFixed(1)} s; publish wall ${it.publish.wall.toFixed(1)} s, CPU ${it.publish.cpu.toFixed(1)} s, ${it.publish.memory.toFixed(0)} MB`,
    )
  }
}

if (positionals.length > 0) await step(positionals)
else await compare()
