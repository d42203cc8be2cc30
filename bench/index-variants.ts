/**
 * Indexing of VCF and BCF against bcftools: whole processes, alternated, medians.
 *
 *     npx node bench/index-variants.ts [--runs N] [--scale S]
 *
 * Makes its files once, in bench/data (deterministic; `--scale 0.1` makes and uses smaller ones). Needs bcftools, bgzip
 * and GNU time. Ours writes the standard index and the block map, and checks every block's CRC, as bcftools does.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, openSync, readSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { seededRandom } from '#test/support/random.ts'

const folder = join(import.meta.dirname, 'data')
const { values, positionals } = parseArgs({
  options: { runs: { type: 'string', default: '5' }, scale: { type: 'string', default: '1' } },
  allowPositionals: true,
})

if (positionals[0] !== undefined) await indexOne(positionals[0], positionals[1]!)
else await compare(Number(values.runs), Number(values.scale))

/** What is measured: the file in chunks of 1 MiB through the indexer, the index written. */
async function indexOne(file: string, out: string): Promise<void> {
  const { VcfIndexer } = await import('#shared/indexes/VcfIndexer.ts')
  const { BcfIndexer } = await import('#shared/indexes/BcfIndexer.ts')
  const indexer = file.endsWith('.bcf') ? new BcfIndexer() : new VcfIndexer()
  const input = openSync(file, 'r')
  const chunk = new Uint8Array(1 << 20)
  for (let size; (size = readSync(input, chunk)) > 0;) indexer.push(chunk.subarray(0, size))
  const { index, blockMap } = indexer.finish()
  writeFileSync(`${out}.${index.kind}`, index.bytes)
  writeFileSync(`${out}.map`, blockMap)
}

async function compare(runs: number, scale: number): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const name = (what: string) => join(folder, `variants-${what}-${scale}`)
  const many = `${name('200')}.vcf.gz`
  const thin = `${name('thin')}.vcf.gz`
  const bcf = `${name('200')}.bcf`
  if (!existsSync(many)) await makeVcf(many, Math.round(180_000 * scale), 200)
  if (!existsSync(thin)) await makeVcf(thin, Math.round(2_500_000 * scale), 0)
  if (!existsSync(bcf))
    must('bcftools', ['view', '-Ob', '-o', `${bcf}.part`, many], () => renameSync(`${bcf}.part`, bcf))

  console.log('file | MB | ours wall s / CPU s / peak MB | bcftools wall s / CPU s / peak MB | wall ratio')
  for (const [file, flags] of [
    [many, ['-t']],
    [thin, ['-t']],
    [bcf, ['-c']],
  ] as const) {
    const out = join(folder, 'out')
    const ours: Figures[] = []
    const theirs: Figures[] = []
    for (let i = 0; i < runs; i++) {
      ours.push(timed(process.execPath, [import.meta.filename, file, out]))
      theirs.push(timed('bcftools', ['index', ...flags, '-f', '-o', `${out}.peer`, file]))
    }
    const [a, b] = [median(ours), median(theirs)]
    const figures = ({ wall, cpu, peak }: Figures) =>
      `${wall.toFixed(2)} / ${cpu.toFixed(2)} / ${peak.toFixed(0)}`
    const size = (statSync(file).size / 1e6).toFixed(0)
    console.log(
      `${file.slice(folder.length + 1)} | ${size} | ${figures(a)} | ${figures(b)} | ${(a.wall / b.wall).toFixed(2)}`,
    )
  }
}

interface Figures {
  readonly wall: number
  readonly cpu: number
  readonly peak: number
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

function must(command: string, args: readonly string[], then: () => void): void {
  if (spawnSync(command, args, { stdio: 'inherit' }).status !== 0) throw new Error(`${command} failed`)
  then()
}

/** Ten chromosomes; with samples, a GATK-like FORMAT for each. */
async function makeVcf(path: string, records: number, samples: number): Promise<void> {
  const random = seededRandom(samples + 1)
  const bgzip = spawn('sh', ['-c', `bgzip -c > "$0"`, `${path}.part`], {
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  const chromosomes = Array.from({ length: 10 }, (_, i) => `chr${i + 1}`)
  const names = Array.from({ length: samples }, (_, i) => `S${i}`)
  const tags = {
    GT: ['1', 'String'],
    AD: ['R', 'Integer'],
    DP: ['1', 'Integer'],
    GQ: ['1', 'Integer'],
    PL: ['G', 'Integer'],
  }
  const header = [
    '##fileformat=VCFv4.2',
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">',
    '##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency">',
    ...Object.entries(tags).map(
      ([id, [n, type]]) => `##FORMAT=<ID=${id},Number=${n!},Type=${type!},Description="${id}">`,
    ),
    ...chromosomes.map(chromosome => `##contig=<ID=${chromosome},length=250000000>`),
    ['#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO', ...(samples > 0 ? ['FORMAT', ...names] : [])].join(
      '\t',
    ),
  ]
  // Drawn anew for every sample, from enough of them that the compression is that of real genotypes.
  const genotypes = Array.from({ length: 20_000 }, () => {
    const [a, b] = [random.below(40), random.below(40)]
    return `\t${random.below(2)}/${random.below(2)}:${a},${b}:${a + b}:${random.below(99)}:${random.below(500)},0,${random.below(500)}`
  })
  let text = header.join('\n') + '\n'
  for (const chromosome of chromosomes) {
    let position = 1
    for (let i = 0; i < records / chromosomes.length; i++) {
      position += random.between(1, 800)
      text += `${chromosome}\t${position}\trs${random.below(1e8)}\t${random.pick('ACGT')}\t${random.pick('ACGT')}\t${random.below(100)}\tPASS\tDP=${random.below(200)};AF=0.${random.below(1000)}`
      if (samples > 0) text += '\tGT:AD:DP:GQ:PL'
      for (let s = 0; s < samples; s++) text += random.pick(genotypes)
      text += '\n'
      if (text.length > 1 << 20) {
        if (!bgzip.stdin.write(text)) await once(bgzip.stdin, 'drain')
        text = ''
      }
    }
  }
  bgzip.stdin.end(text)
  const [code] = (await once(bgzip, 'close')) as [number]
  if (code !== 0) throw new Error('bgzip failed')
  renameSync(`${path}.part`, path)
}
