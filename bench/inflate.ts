/**
 * Inflating BGZF blocks: ours, as they follow each other and each alone, against node:zlib, in one process, alternated,
 * medians of CPU time.
 *
 *     npx node bench/generate.ts && npx node bench/inflate.ts [--runs N] [--scale S]
 *
 * The first 60 MB of each file, in memory; MB inflated a second of CPU time, without the CRC.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { inflateRawSync } from 'node:zlib'
import { readBlockSize } from '#shared/bgzf/bgzfBlock.ts'
import { BlocksAhead } from '#shared/bgzf/BlocksAhead.ts'
import { inflateRaw } from '#shared/bgzf/inflateRaw.ts'
import { benchFile } from './generate/benchFile.ts'

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '5' }, scale: { type: 'string', default: '1' } },
})

interface Block {
  readonly file: Uint8Array
  readonly at: number
  readonly blockSize: number
  readonly compressed: Uint8Array
  readonly size: number
}

// As fast as zlib can be had: one output buffer that is never full.
const zlibOptions = { chunkSize: 65600 }
const ahead = new BlocksAhead()
const ways: Record<string, (block: Block) => Uint8Array | undefined> = {
  ours: ({ file, at, blockSize }) => ahead.take(file, at, blockSize),
  'each alone': ({ compressed, size }) => inflateRaw(compressed, size),
  'node:zlib': ({ compressed }) => inflateRawSync(compressed, zlibOptions),
}

console.log(`file | blocks | ${Object.keys(ways).join(' MB/s | ')} MB/s | ratio`)
for (const name of ['bam', 'vcf', 'bcf', 'thin'] as const) {
  const path = benchFile(name, Number(values.scale))
  const blocks = blocksOf(path, 60e6)
  const size = blocks.reduce((sum, block) => sum + block.size, 0)
  const rates: number[][] = Object.keys(ways).map(() => [])
  for (let run = 0; run < Number(values.runs); run++)
    for (const [i, inflate] of Object.values(ways).entries()) {
      const before = process.cpuUsage()
      for (const block of blocks)
        if (inflate(block)?.length !== block.size) throw new Error(`${path}: a block does not inflate`)
      const { user, system } = process.cpuUsage(before)
      rates[i]!.push(size / (user + system))
    }
  const medians = rates.map(all => all.sort((a, b) => a - b)[all.length >> 1]!)
  const ratio = medians[0]! / medians.at(-1)!
  console.log([name, blocks.length, ...medians.map(rate => rate.toFixed(0)), ratio.toFixed(2)].join(' | '))
}

function blocksOf(path: string, bytes: number): Block[] {
  const file = Buffer.alloc(bytes)
  const input = openSync(path, 'r')
  const end = readSync(input, file)
  closeSync(input)
  const blocks: Block[] = []
  for (let at = 0, next; (next = at + readBlockSize(file, at, end, at)) > at && next <= end; at = next) {
    const compressed = file.subarray(at + 12 + file.readUInt16LE(at + 10), next - 8)
    blocks.push({ file, at, blockSize: next - at, compressed, size: file.readUInt32LE(next - 4) })
    if (next === end) break
  }
  return blocks
}
