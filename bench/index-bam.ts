/**
 * Indexing of BAM against samtools: whole processes, alternated, medians.
 *
 *     npx node bench/generate.ts bam && npx node bench/index-bam.ts [--runs N] [--scale S]
 *
 * Needs samtools and GNU time. Ours writes the BAI (or CSI) and the block map, and checks every block's CRC, as
 * samtools does; one thread each.
 */
import { spawnSync } from 'node:child_process'
import { openSync, readSync, statSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { benchFile } from './generate/benchFile.ts'

const { values, positionals } = parseArgs({
  options: { runs: { type: 'string', default: '5' }, scale: { type: 'string', default: '1' } },
  allowPositionals: true,
})

const [file, out, kind] = positionals
if (file !== undefined && out !== undefined) await indexOne(file, out, kind === 'csi' ? 'csi' : 'bai')
else compare(benchFile('bam', Number(values.scale)), Number(values.runs))

/** What is measured: the file in chunks of 1 MiB through the indexer, the index and the block map written. */
async function indexOne(path: string, prefix: string, index: 'bai' | 'csi'): Promise<void> {
  const { BamIndexer } = await import('#shared/indexes/BamIndexer.ts')
  const indexer = new BamIndexer({ index })
  const input = openSync(path, 'r')
  // Reads into the start of a page are slow on some machines: 48 bytes further they are not.
  const chunk = new Uint8Array((1 << 20) + 4096).subarray(48, 48 + (1 << 20))
  for (let size; (size = readSync(input, chunk)) > 0;) indexer.push(chunk.subarray(0, size))
  const indexed = indexer.finish()
  writeFileSync(`${prefix}.${index}`, indexed.index.bytes)
  writeFileSync(`${prefix}.map`, indexed.blockMap)
}

interface Figures {
  readonly wall: number
  readonly cpu: number
  readonly peak: number
}

function compare(bam: string, runs: number): void {
  const to = `${bam}.bench`
  console.log(`${bam}: ${(statSync(bam).size / 1e6).toFixed(0)} MB, ${runs} runs`)
  console.log(
    'index | ours wall s / CPU s / peak MB | samtools wall s / CPU s / peak MB | wall ratio | CPU ratio',
  )
  for (const index of ['bai', 'csi'] as const) {
    const ours: Figures[] = []
    const theirs: Figures[] = []
    const flags = index === 'csi' ? ['-c'] : []
    for (let i = 0; i < runs; i++) {
      ours.push(timed(process.execPath, [import.meta.filename, bam, to, index]))
      theirs.push(timed('samtools', ['index', ...flags, bam, `${to}.peer`]))
    }
    const [a, b] = [median(ours), median(theirs)]
    const ratios = `${(a.wall / b.wall).toFixed(2)} | ${(a.cpu / b.cpu).toFixed(2)}`
    console.log(`${index} | ${shown(a)} | ${shown(b)} | ${ratios}`)
  }
}

function shown({ wall, cpu, peak }: Figures): string {
  return `${wall.toFixed(2)} / ${cpu.toFixed(2)} / ${peak.toFixed(0)}`
}

function timed(command: string, args: readonly string[]): Figures {
  const { status, stderr } = spawnSync('time', ['-f', '%e %U %S %M', command, ...args], { encoding: 'utf8' })
  const [wall, user, system, kilobytes] = stderr.trim().split('\n').at(-1)!.split(' ').map(Number)
  if (status !== 0 || kilobytes === undefined) throw new Error(`${command} failed: ${stderr}`)
  return { wall: wall!, cpu: user! + system!, peak: kilobytes / 1024 }
}

function median(all: readonly Figures[]): Figures {
  const middle = (of: (figures: Figures) => number) => all.map(of).sort((a, b) => a - b)[all.length >> 1]!
  return { wall: middle(f => f.wall), cpu: middle(f => f.cpu), peak: middle(f => f.peak) }
}
