/**
 * Indexing of VCF and BCF against bcftools: whole processes by turns, medians.
 *
 *     npx node bench/generate.ts vcf bcf thin && npx node bench/index-variants.ts [--runs N] [--scale S]
 *
 * Needs bcftools and GNU time. Ours makes the block map as well; both check every block's CRC. `--threads 1` is
 * bcftools with one thread more, as two threads are ours.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { compareIndexing, ours, tableHead } from './compareIndexing.ts'
import { benchFile } from './generate/benchFile.ts'

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '5' }, scale: { type: 'string', default: '1' } },
})
const scratch = mkdtempSync(join(tmpdir(), 'htsvault-bench-'))
try {
  console.log(tableHead)
  for (const [name, flag] of [
    ['vcf', '-t'],
    ['thin', '-t'],
    ['bcf', '-c'],
  ] as const) {
    const file = benchFile(name, Number(values.scale))
    const bcftools = (...more: string[]) => ({
      name: ['bcftools', flag, ...more].join(' '),
      command: (out: string) => ['bcftools', 'index', flag, '-f', ...more, '-o', out, file] as const,
    })
    const [one, two] = [bcftools(), bcftools('--threads', '1')]
    compareIndexing(file, [ours(file, 1, one.name), ours(file, 2, two.name), one, two], {
      runs: Number(values.runs),
      scratch,
    })
  }
} finally {
  rmSync(scratch, { recursive: true })
}
