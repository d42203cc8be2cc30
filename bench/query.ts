/**
 * What one cold query reads and plans: the block map against the indexes that samtools and tabix make, as @gmod reads
 * them.
 *
 *     npx node bench/generate.ts bam vcf cram && npx node bench/query.ts [--scale S] [--regions N]
 *
 * Cold: nothing is known but the name of the map or index. The least is found without either: the blocks in which a
 * record of the region begins, by walking the records (BAM, VCF). The index file is read from a local folder, so the
 * times are those of reading and thinking, without a network between.
 */
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { BAI } from '@gmod/bam'
import { CraiIndex } from '@gmod/cram'
import { TBI } from '@gmod/tabix'
import { blockOf } from '#shared/bgzf/VirtualOffset.ts'
import type { ByteSource } from '#shared/bytes/ByteSource.ts'
import { blockMapTail, openBlockMap } from '#shared/indexes/blockMap/openBlockMap.ts'
import { createFileIndexer } from '#shared/indexes/createFileIndexer.ts'
import type { IndexedFile } from '#shared/indexes/FileIndexer.ts'
import { seededRandom } from '#test/support/random.ts'
import { benchFile } from './generate/benchFile.ts'
import { leastBytes, walkRecords, type WalkedFile } from './leastBytes.ts'

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, regions: { type: 'string', default: '200' } },
})
const scratch = mkdtempSync(join(tmpdir(), 'htsvault-query-'))

/** What @gmod reads from: it has overloads for text, of which its indexes need none. */
type Filehandle = ConstructorParameters<typeof BAI>[0]['filehandle']

/** A file on disk that counts what is read of it, as both readers want one. */
async function counted(path: string) {
  const handle = await open(path)
  const { size } = await handle.stat()
  const count = { reads: 0, bytes: 0 }
  const read = async (start: number, end: number) => {
    count.reads++
    count.bytes += end - start
    const bytes = new Uint8Array(end - start)
    await handle.read(bytes, 0, bytes.length, start)
    return bytes
  }
  const filehandle = {
    read: (length: number, position: number) => read(position, Math.min(size, position + length)),
    readFile: () => read(0, size),
    stat: () => Promise.resolve({ size }),
    close: () => Promise.resolve(),
  }
  return {
    count,
    source: { size, read } as ByteSource,
    filehandle: filehandle as unknown as Filehandle,
    close: () => handle.close(),
  }
}
type CountedFile = Awaited<ReturnType<typeof counted>>

interface Region {
  readonly refId: number
  readonly name: string
  readonly start: number
  readonly end: number
}
interface Run {
  readonly start: number
  readonly end: number
}
type Plan = (file: CountedFile, region: Region) => Promise<Run[]>

const ours =
  (tail: number): Plan =>
  async (file, { refId, start, end }) => {
    const map = await openBlockMap(file.source, tail)
    const runs = await map.units([{ refId, start, end }])
    return runs.map(run => ({ start: blockOf(run.start), end: blockOf(run.end) }))
  }

interface GmodChunk {
  readonly minv: { readonly blockPosition: number; readonly dataPosition: number }
  readonly maxv: { readonly blockPosition: number; readonly dataPosition: number }
}
const chunkRuns = (chunks: readonly GmodChunk[], walked: WalkedFile | undefined): Run[] =>
  chunks.map(({ minv, maxv }) => ({
    start: minv.blockPosition,
    end: maxv.dataPosition > 0 && walked ? walked.unitAfter(maxv.blockPosition) : maxv.blockPosition,
  }))

const theirs: Record<'bam' | 'vcf' | 'cram', (walked: WalkedFile | undefined) => Plan> = {
  bam:
    walked =>
    async ({ filehandle }, { refId, start, end }) =>
      chunkRuns(await new BAI({ filehandle }).blocksForRange(refId, start, end), walked),
  vcf:
    walked =>
    async ({ filehandle }, { name, start, end }) =>
      chunkRuns(await new TBI({ filehandle }).blocksForRange(name, start, end), walked),
  cram:
    () =>
    async ({ filehandle }, { refId, start, end }) => {
      const slices = await new CraiIndex({ filehandle }).getEntriesForRange(refId, start + 1, end)
      return slices.map(slice => ({
        start: slice.containerStart,
        end: slice.containerStart + slice.sliceStart + slice.sliceBytes,
      }))
    },
}

function unionBytes(runs: readonly Run[]): number {
  let sum = 0
  let reached = 0
  for (const { start, end } of runs.toSorted((a, b) => a.start - b.start)) {
    sum += Math.max(0, end - Math.max(start, reached))
    reached = Math.max(reached, end)
  }
  return sum
}

async function measure(label: string, path: string, plan: Plan, regions: readonly Region[], least?: number) {
  const times: number[] = []
  const bytes: number[] = []
  let reads = 0
  let planned = 0
  for (const region of regions) {
    const file = await counted(path)
    const begun = performance.now()
    const runs = await plan(file, region)
    times.push(performance.now() - begun)
    bytes.push(file.count.bytes)
    reads = Math.max(reads, file.count.reads)
    planned += unionBytes(runs)
    await file.close()
  }
  const p50 = (all: number[]) => all.toSorted((a, b) => a - b)[all.length >> 1]!
  const over = least === undefined ? '' : `, ${((planned / least - 1) * 100).toFixed(2)} % over the least`
  console.log(
    `  ${label.padEnd(10)} cold p50 ${p50(times).toFixed(2)} ms, at most ${reads} reads, ${p50(bytes)} bytes read; ` +
      `plans ${(planned / regions.length / 1e6).toFixed(3)} MB a region${over}`,
  )
}

async function indexed(path: string): Promise<IndexedFile> {
  const indexer = createFileIndexer()
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) indexer.push(chunk as Buffer)
  return indexer.finish()
}

try {
  for (const name of ['bam', 'vcf', 'cram'] as const) {
    const path = benchFile(name, Number(values.scale))
    const { references, index, blockMap } = await indexed(path)
    const [indexPath, mapPath] = [join(scratch, `${name}.index`), join(scratch, `${name}.blockmap`)]
    writeFileSync(indexPath, index.bytes)
    writeFileSync(mapPath, blockMap)
    const walked = name === 'cram' ? undefined : await walkRecords(path, name)
    const sizes = `${index.kind} ${(index.bytes.length / 1e3).toFixed(0)} kB, block map ${(blockMap.length / 1e3).toFixed(0)} kB`
    console.log(`${name}: ${sizes}`)
    for (const size of [1000, 100_000, 10_000_000]) {
      const random = seededRandom(size)
      const regions = Array.from({ length: Number(values.regions) }, (): Region => {
        const refId = random.below(references.length)
        const { name: reference, length = 30_000_000 } = references[refId]!
        const start = random.below(Math.max(1, length - size))
        return { refId, name: reference, start, end: start + size }
      })
      const least = walked && regions.reduce((sum, region) => sum + leastBytes(walked, region), 0)
      console.log(
        ` ${size} bases${least === undefined ? '' : `: least ${(least / regions.length / 1e6).toFixed(3)} MB a region`}`,
      )
      await measure('block map', mapPath, ours(blockMapTail(blockMap)), regions, least)
      await measure('@gmod', indexPath, theirs[name](walked), regions, least)
    }
  }
} finally {
  rmSync(scratch, { recursive: true })
}
