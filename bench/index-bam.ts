/**
 * Indexing of BAM against samtools: whole processes by turns, medians.
 *
 *     npx node bench/generate.ts bam && npx node bench/index-bam.ts [--runs N] [--scale S]
 *
 * Needs samtools and GNU time. Ours makes the block map as well; both check every block's CRC. `-@1` is samtools with
 * one thread more, as two threads are ours.
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
const file = benchFile('bam', Number(values.scale))
const scratch = mkdtempSync(join(tmpdir(), 'htsvault-bench-'))
try {
  console.log(tableHead)
  for (const [kind, flags] of [
    ['bai', ['-b']],
    ['csi', ['-c']],
  ] as const) {
    const samtools = (...more: string[]) => ({
      name: ['samtools', ...flags, ...more].join(' '),
      command: (out: string) => ['samtools', 'index', ...flags, ...more, file, out] as const,
    })
    const [one, two] = [samtools(), samtools('-@1')]
    compareIndexing(
      file,
      [ours(file, 1, one.name, ['--format', kind]), ours(file, 2, two.name, ['--format', kind]), one, two],
      { runs: Number(values.runs), scratch },
    )
  }
} finally {
  rmSync(scratch, { recursive: true })
}
