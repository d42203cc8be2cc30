/**
 * What `fields` and `tags` leave of a file, and how fast: against samtools, which decodes and writes the same columns.
 *
 *     npx node bench/generate.ts bam cram && npx node bench/fields.ts [--mb N] [--scale S]
 *
 * Of each file the first N MB (100), in units that the block map gives. Ours runs in this process, the file in memory,
 * one thread, and is given in CPU seconds; samtools as a process of one thread, in user and system time. It reads
 * the same cut, with `required_fields` where it is CRAM, and writes the same format by its defaults.
 */
import { mkdtempSync, openSync, readSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { memorySource } from '#shared/bytes/ByteSource.ts'
import { blockOf, virtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { chooseColumns, type ColumnLists } from '#shared/columns/RecordColumns.ts'
import { indexerOf } from '#shared/indexes/createFileIndexer.ts'
import { openBlockMap } from '#shared/indexes/blockMap/openBlockMap.ts'
import { filterRecords } from '#shared/vault/filterRecords.ts'
import { benchFile } from './generate/benchFile.ts'
import { timeCommand } from './timeCommand.ts'

const { values } = parseArgs({
  options: { mb: { type: 'string', default: '100' }, scale: { type: 'string', default: '1' } },
})

interface Request {
  readonly what: string
  readonly lists: ColumnLists
  /** htslib's bits of the columns, and the tags that samtools is to take out or keep. */
  readonly required: number
  readonly tags: readonly string[]
}

const noTags = ['--keep-tag', '']
const requests: readonly Request[] = [
  {
    what: 'FLAG,RNAME,POS,MAPQ,CIGAR, no tags',
    lists: { fields: ['FLAG', 'RNAME', 'POS', 'MAPQ', 'CIGAR'], tags: [] },
    required: 0x3e,
    tags: noTags,
  },
  {
    what: 'all but QUAL',
    lists: { fields: ['QNAME', 'MAPQ', 'RNEXT', 'PNEXT', 'TLEN', 'SEQ'] },
    required: 0xfff & ~0x400,
    tags: [],
  },
  {
    what: 'all but SEQ and QUAL, no tags',
    lists: { fields: ['QNAME', 'MAPQ', 'RNEXT', 'PNEXT', 'TLEN'], tags: [] },
    required: 0x1ff,
    tags: noTags,
  },
  { what: 'no tags', lists: { tags: [] }, required: 0x7ff, tags: noTags },
]

console.log('file | MB | request | left, ours | CPU, ours | MB/s of CPU | left, samtools | CPU, samtools')
for (const format of ['CRAM', 'BAM'] as const) await measure(format)

async function measure(format: 'BAM' | 'CRAM'): Promise<void> {
  const path = benchFile(format === 'BAM' ? 'bam' : 'cram', Number(values.scale))
  const { file, start, end, version } = await cutWhole(path, format)
  const folder = mkdtempSync(join(tmpdir(), 'htsvault-bench-'))
  const cut = join(folder, `cut.${format.toLowerCase()}`)
  writeFileSync(cut, file)
  const size = end - start
  try {
    for (const { what, lists, required, tags } of requests) {
      const columns = chooseColumns(lists)!
      const range = { start: virtualOffset(start, 0), end: virtualOffset(end, 0), columns }
      const began = process.cpuUsage()
      let left = 0
      const manifest = { format, formatVersion: version }
      for await (const part of filterRecords(memorySource(file), manifest, range)) left += part.length
      const { user, system } = process.cpuUsage(began)
      const cpu = (user + system) / 1e6

      const to = join(folder, 'peer')
      const reading = format === 'CRAM' ? ['--input-fmt-option', `required_fields=${required}`] : []
      const genome = format === 'CRAM' ? ['-T', benchFile('fasta', Number(values.scale))] : []
      const peer = timeCommand('samtools', [
        'view',
        '--no-PG',
        ...['-O', format === 'CRAM' ? `cram,version=${version}` : 'bam'],
        ...reading,
        ...genome,
        ...tags,
        ...['-o', to, cut],
      ])
      const theirs = statSync(to).size
      const row = [
        format,
        (size / 1e6).toFixed(0),
        what,
        `${((100 * left) / size).toFixed(1)} %`,
        `${cpu.toFixed(2)} s`,
        (size / 1e6 / cpu).toFixed(0),
        `${((100 * theirs) / size).toFixed(1)} %`,
        `${peer.cpu.toFixed(2)} s`,
      ]
      console.log(row.join(' | '))
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The file's header, whole units of some MB, and the end: a file of its own. */
async function cutWhole(path: string, format: 'BAM' | 'CRAM') {
  const input = openSync(path, 'r')
  const read = (start: number, end: number) => {
    const bytes = Buffer.alloc(end - start)
    return bytes.subarray(0, readSync(input, bytes, 0, bytes.length, start))
  }
  const indexer = indexerOf(format)
  const { size } = statSync(path)
  for (let at = 0; at < size; at += 1 << 20) indexer.push(read(at, Math.min(size, at + (1 << 20))))
  const indexed = indexer.finish()
  const map = await openBlockMap(memorySource(indexed.blockMap))
  const [run] = await map.units(['everything'], Number(values.mb) * 1e6)
  if (!run) throw new Error(`${path} has no records`)
  const [start, end] = [blockOf(run.start), blockOf(run.end)]
  return { file: Buffer.concat([read(0, end), map.eof]), start, end, version: indexed.formatVersion }
}
