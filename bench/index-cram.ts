/**
 * Indexing of CRAM against samtools: whole processes, alternated, medians.
 *
 *     npx node bench/generate.ts cram && npx node bench/index-cram.ts [--runs N] [--scale S]
 *
 * Needs samtools, GNU time and npm's esbuild. Ours writes the CRAI and the block map and checks the CRC32 of every
 * block; `samtools index` checks none of those that it does not decode. Rows: a file whose slices are of one
 * reference each, of which headers are read alone; and one whose slices are of several, which are decoded. Ours is
 * run as it stands and bundled, as the functions are; `floor` reads the file and sums its CRC32, and no more.
 */
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { parseArgs } from 'node:util'
import { crc32, gunzipSync } from 'node:zlib'
import { benchFile } from './generate/benchFile.ts'
import { median, shown, timeCommand, type Figures } from './timeCommand.ts'

const { values, positionals } = parseArgs({
  options: { runs: { type: 'string', default: '7' }, scale: { type: 'string', default: '1' } },
  allowPositionals: true,
})

const [what, path] = positionals
if (what === 'floor') floor(path!)
else if (what === 'index') await indexOne(path!)
else await compare(Number(values.runs), Number(values.scale))

/** What is measured: the file in chunks of 1 MiB through the indexer, the index and the block map written. */
async function indexOne(cram: string): Promise<void> {
  const { CramIndexer } = await import('#shared/indexes/CramIndexer.ts')
  const indexer = new CramIndexer()
  eachChunk(cram, chunk => indexer.push(chunk))
  const indexed = indexer.finish()
  writeFileSync(`${cram}.bench.crai`, indexed.index.bytes)
  writeFileSync(`${cram}.bench.map`, indexed.blockMap)
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
  const cram = benchFile('cram', scale)
  const several = cram.replace(/\.cram$/, '-several.cram')
  if (!existsSync(several)) makeSeveral(cram, several, benchFile('fasta', scale))
  const { build } = await import('esbuild')
  const bundle = `${cram}.bench.mjs`
  await build({
    entryPoints: [import.meta.filename],
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['esbuild'],
    outfile: bundle,
    logLevel: 'error',
  })
  console.log('file | MB | what | wall, CPU, peak | wall ratio to samtools | CPU ratio')
  for (const file of [cram, several]) {
    const commands = {
      'ours, .ts': [process.execPath, import.meta.filename, 'index', file],
      'ours, bundled': [process.execPath, bundle, 'index', file],
      floor: [process.execPath, bundle, 'floor', file],
      'samtools index': ['samtools', 'index', '-o', `${file}.bench.peer`, file],
    }
    const figures = new Map<string, Figures[]>(Object.keys(commands).map(name => [name, []]))
    for (let i = 0; i < runs; i++)
      for (const [name, command] of Object.entries(commands))
        figures.get(name)!.push(timeCommand(command[0]!, command.slice(1)))
    const [ours, theirs] = ['crai', 'peer'].map(name => gunzipSync(readFileSync(`${file}.bench.${name}`)))
    if (!ours!.equals(theirs!)) throw new Error(`the indexes of ${file} differ`)
    const peer = median(figures.get('samtools index')!)
    for (const [name, each] of figures) {
      const figure = median(each)
      const row = [
        file.slice(file.lastIndexOf('/') + 1),
        (statSync(file).size / 1e6).toFixed(0),
        name,
        shown(figure),
        (figure.wall / peer.wall).toFixed(2),
        (figure.cpu / peer.cpu).toFixed(2),
      ]
      console.log(row.join(' | '))
    }
    for (const name of ['crai', 'map', 'peer']) rmSync(`${file}.bench.${name}`, { force: true })
  }
  rmSync(bundle)
}

/** A tenth of the reads, in slices that hold several references: what files of many contigs look like. */
function makeSeveral(from: string, to: string, fasta: string): void {
  const format = 'cram,version=3.0,multi_seq_per_slice=1'
  const args = ['view', '-s', '0.1', '-O', format, '-T', fasta, '-o', `${to}.part`, from]
  if (spawnSync('samtools', args, { stdio: 'inherit' }).status !== 0) throw new Error('samtools failed')
  renameSync(`${to}.part`, to)
}
