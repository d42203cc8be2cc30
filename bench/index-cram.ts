/**
 * Indexing of CRAM against samtools: whole processes by turns, medians.
 *
 *     npx node bench/generate.ts cram && npx node bench/index-cram.ts [--runs N] [--scale S]
 *
 * Needs samtools, GNU time and npm's esbuild. Ours makes the block map as well and checks the CRC32 of every block;
 * `samtools index` checks none of those that it does not decode. Rows: a file whose slices are of one reference each,
 * of which headers are read alone; and one whose slices are of several, which are decoded. `bundled` is the indexer
 * alone, as the functions have it; `floor` reads the file and sums its CRC32, and no more.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { crc32 } from 'node:zlib'
import { compareIndexing, ours, tableHead, type Contender } from './compareIndexing.ts'
import { bundle } from './bundle.ts'
import { benchFile } from './generate/benchFile.ts'

const { values, positionals } = parseArgs({
  options: { runs: { type: 'string', default: '7' }, scale: { type: 'string', default: '1' } },
  allowPositionals: true,
})

const [what, path, to] = positionals
if (what === 'floor') floor(path!)
else if (what === 'index') await indexOne(path!, to!)
else await compare(Number(values.runs), Number(values.scale))

/** What is measured bundled: the file in chunks of 1 MiB through the indexer, the index and the block map written. */
async function indexOne(cram: string, out: string): Promise<void> {
  const { CramIndexer } = await import('#shared/indexes/CramIndexer.ts')
  const indexer = new CramIndexer()
  eachChunk(cram, chunk => indexer.push(chunk))
  const indexed = indexer.finish()
  writeFileSync(out, indexed.index.bytes)
  writeFileSync(`${out}.map`, indexed.blockMap)
}

function floor(cram: string): void {
  let sum = 0
  eachChunk(cram, chunk => (sum = crc32(chunk, sum)))
  console.log(sum)
}

function eachChunk(file: string, take: (chunk: Uint8Array) => void): void {
  const input = openSync(file, 'r')
  // Reads into the start of a page are slow on some machines: 48 bytes further they are not.
  const chunk = new Uint8Array((1 << 20) + 4096).subarray(48, 48 + (1 << 20))
  for (let size; (size = readSync(input, chunk)) > 0;) take(chunk.subarray(0, size))
}

async function compare(runs: number, scale: number): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'htsvault-bench-'))
  try {
    const cram = benchFile('cram', scale)
    const several = join(scratch, 'several.cram')
    makeSeveral(cram, several, benchFile('fasta', scale))
    const bundled = join(scratch, 'bench.mjs')
    await bundle(import.meta.filename, bundled)
    console.log(tableHead)
    for (const file of [cram, several]) {
      const samtools = (...more: string[]): Contender => ({
        name: ['samtools', ...more].join(' '),
        command: out => ['samtools', 'index', ...more, '-o', out, file],
      })
      const [one, two] = [samtools(), samtools('-@1')]
      const byBundle = (name: string, ...args: string[]) =>
        [process.execPath, bundled, name, ...args] as const
      compareIndexing(
        file,
        [
          ours(file, 1, one.name),
          ours(file, 2, two.name),
          { name: 'bundled', command: out => byBundle('index', file, out), against: one.name },
          { name: 'floor', command: () => byBundle('floor', file), against: one.name, writes: false },
          one,
          two,
        ],
        { runs, scratch },
      )
    }
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

/** A tenth of the reads, in slices that hold several references: what files of many contigs look like. */
function makeSeveral(from: string, to: string, fasta: string): void {
  const format = 'cram,version=3.0,multi_seq_per_slice=1'
  const args = ['view', '-s', '0.1', '-O', format, '-T', fasta, '-o', to, from]
  if (spawnSync('samtools', args, { stdio: 'inherit' }).status !== 0) throw new Error('samtools failed')
}
