/**
 * What indexing and taking in a BAM cannot do without, each step alone in this process, beside the tools: the CPU time
 * below which neither can come.
 *
 *     npx node bench/generate.ts bam && npx node bench/floor.ts [--runs N] [--scale S]
 *
 * Needs samtools and GNU time.
 */
import { createHash } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { BgzfReader } from '#shared/bgzf/BgzfReader.ts'
import { crc64nvme } from '#shared/bytes/crc64nvme.ts'
import { Encryptor } from '#shared/crypt4gh/body/Encryptor.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { benchFile } from './generate/benchFile.ts'
import { median, timeCommand } from './timeCommand.ts'

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '3' }, scale: { type: 'string', default: '1' } },
})
const runs = Number(values.runs)
const path = benchFile('bam', Number(values.scale))

/** Takes the file's bytes, a chunk at a time. */
type Step = () => (chunk: Uint8Array) => void

const steps: Record<string, Step> = {
  'reading it': () => () => undefined,
  'inflate and CRC-32 of every block': () => {
    const reader = new BgzfReader(() => undefined)
    return chunk => reader.push(chunk)
  },
  'SHA-256': () => {
    const hash = createHash('sha256')
    return chunk => hash.update(chunk)
  },
  MD5: () => {
    const hash = createHash('md5')
    return chunk => hash.update(chunk)
  },
  'CRC-64/NVME': () => {
    let crc = 0n
    return chunk => {
      crc = crc64nvme(chunk, crc)
    }
  },
  'Crypt4GH segments': () => {
    const encryptor = new Encryptor(new Uint8Array(32), nodeBackend, { reuseOutput: true })
    return chunk => {
      Array.from(encryptor.push(chunk))
    }
  },
}

function cpuOf(step: Step): number {
  const file = openSync(path, 'r')
  const buffer = Buffer.alloc(1 << 20)
  const before = process.cpuUsage()
  const take = step()
  for (let size; (size = readSync(file, buffer)) > 0;) take(buffer.subarray(0, size))
  const { user, system } = process.cpuUsage(before)
  closeSync(file)
  return (user + system) / 1e6
}

// Once for nothing: the file is in memory then.
cpuOf(steps['reading it']!)
const middle = (all: number[]) => all.toSorted((a, b) => a - b)[all.length >> 1]!
const times = Object.entries(steps).map(
  ([name, step]) => [name, middle(Array.from({ length: runs }, () => cpuOf(step)))] as const,
)
const reading = times[0]![1]
let sum = reading
for (const [name, seconds] of times) {
  const alone = name === times[0]![0] ? seconds : seconds - reading
  if (name !== times[0]![0]) sum += alone
  console.log(`${name.padEnd(36)} ${alone.toFixed(2)} s CPU`)
}
console.log(`${'all of them'.padEnd(36)} ${sum.toFixed(2)} s CPU`)

const scratch = mkdtempSync(join(tmpdir(), 'htsvault-floor-'))
try {
  for (const flags of [[], ['-@1']]) {
    const figures = Array.from({ length: runs }, () =>
      timeCommand('samtools', ['index', ...flags, path, join(scratch, 'x.bai')]),
    )
    const { wall, cpu } = median(figures)
    const name = ['samtools index', ...flags].join(' ')
    console.log(`${name.padEnd(36)} ${cpu.toFixed(2)} s CPU, ${wall.toFixed(2)} s`)
  }
} finally {
  rmSync(scratch, { recursive: true })
}
