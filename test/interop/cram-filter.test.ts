import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { CraiIndex, IndexedCramFile, type CramRecord } from '@gmod/cram'
import { describe, expect, jest, test } from '@jest/globals'
import { keepsTag, type OptionalField } from '#shared/columns/RecordColumns.ts'
import { CramScanner } from '#shared/cram/CramScanner.ts'
import { CramIndexer } from '#shared/indexes/CramIndexer.ts'
import { fixturesOf } from '#test/fixtures/index.ts'
import { breaches, chosen, columnRequests, nameOf } from '#test/support/columnRequests.ts'
import { filterCramFile } from '#test/support/filterCramFile.ts'
import { indexInChunks } from '#test/support/indexing.ts'
import {
  describeWithData,
  output,
  requireTools,
  run,
  sharedData,
  temporaryFolder,
} from '#test/support/interop.ts'
import { seededRandom } from '#test/support/random.ts'
import { samText } from '#test/support/samGenerator.ts'

jest.setTimeout(300_000)

const folder = temporaryFolder()
const filteredFolder = join(folder, 'filtered')
mkdirSync(filteredFolder)

const lines = async (path: string, reference?: string): Promise<string[]> => {
  const args = ['view', '--no-PG', ...(reference === undefined ? [] : ['-T', reference]), path]
  return (await output('samtools', args)).toString('latin1').split('\n').filter(Boolean)
}

let compared = 0
let bytesBefore = 0
let bytesAfter = 0

/** Holds every request's answer against the original, as samtools reads both. */
async function check(path: string, reference?: string): Promise<void> {
  const file = readFileSync(path)
  const original = await lines(path, reference)
  for (const request of columnRequests) {
    const columns = chosen(request)
    const filtered = await filterCramFile(file, columns)
    // Made-up names begin with the file's own name.
    const to = join(filteredFolder, basename(path))
    writeFileSync(to, filtered)
    const got = await lines(to, reference)
    expect([nameOf(request), ...breaches(original, got, columns)]).toEqual([nameOf(request)])
    // Checksums, landmarks and lengths.
    const scanner = new CramScanner({ header: () => undefined, slice: () => undefined })
    scanner.push(filtered)
    scanner.finish()
    compared += original.length
    bytesBefore += file.length
    bytesAfter += filtered.length
  }
}

describeWithData('cram/3.0', 'cram/ce.fa')('the conformance files', () => {
  const files = readdirSync(sharedData('cram/3.0') ?? '').filter(name => name.endsWith('.cram'))

  requireTools('samtools')('keep what was asked for', () => {
    test.each(files)('%s', async name => {
      const path = sharedData(join('cram/3.0', name))!
      const reference = sharedData('cram/ce.fa')!
      // samtools refuses some of them, as it should: others have no end.
      const { code } = await run('samtools', ['view', '-T', reference, path])
      if (code === 0) await check(path, reference)
    })
  })
})

requireTools('samtools')('the fixtures keep what was asked for', () => {
  test.each(fixturesOf('CRAM'))('$name', async ({ path, reference }) => {
    await check(path, reference)
  })
})

describeWithData('reads')('real reads keep what was asked for', () => {
  requireTools('samtools')('by samtools', () => {
    test('htsnexus_test_NA12878', async () => {
      await check(sharedData('reads/htsnexus_test_NA12878.cram')!)
    })
  })
})

const references = [
  ['long', 60_000],
  ['HLA:*01', 9_000],
  ['c3', 3_000],
  ['last', 40_000],
] as const

const options = [
  '',
  'seqs_per_slice=100,slices_per_container=4',
  'multi_seq_per_slice=1',
  'multi_seq_per_slice=1,seqs_per_slice=37,slices_per_container=3',
  'use_bzip2,use_lzma,seqs_per_slice=300',
  'use_arith,use_fqz,use_tok',
  'level=0',
  'no_ref',
  'lossy_names',
  'store_md,store_nm',
  'store_md,store_nm,lossy_names,multi_seq_per_slice=1',
  'embed_ref=1,seqs_per_slice=100,slices_per_container=2',
  'fast',
  'small',
  'archive',
]

requireTools('samtools')('files that samtools writes keep what was asked for', () => {
  const random = seededRandom(29)
  const bases = (n: number) => Array.from({ length: n }, () => random.pick('ACGT')).join('')
  const fasta = join(folder, 'reference.fa')
  writeFileSync(fasta, references.map(([name, length]) => `>${name}\n${bases(length)}\n`).join(''))
  const sam = join(folder, 'reads.sam')
  writeFileSync(sam, samText({ seed: 8, references, reads: 400, unplaced: 100, bare: 0 }))

  const cases = ['2.1', '3.0', '3.1'].flatMap(version =>
    options.filter((_, i) => version !== '2.1' || i % 3 === 0).map(option => [version, option] as const),
  )
  test.each(cases)('%s %s', async (version, option) => {
    const path = join(folder, 'written.cram')
    const format = `cram,version=${version}${option && `,${option}`}`
    await output('samtools', ['view', '-O', format, '-T', fasta, '-o', path, sam])
    await check(path, fasta)
  })

  test('and that was not little', () => {
    expect(compared).toBeGreaterThan(400_000)
    expect(bytesAfter).toBeLessThan(0.8 * bytesBefore)
  })
})

/** Prints the records of files as samtools within pysam has them, a newer htslib than most: files parted by a line. */
const viewAll = `
import sys, pysam
for path in sys.argv[1:]:
    sys.stdout.write(pysam.view('--no-PG', path))
    sys.stdout.write('=\\n')
`

const read = ['pairs', 'pairs-slices', 'pairs-multi-reference', 'pairs-codecs', 'deep', 'long-reads']
const readable = fixturesOf('CRAM').filter(({ name }) =>
  read.includes(name.replace(/^cram\/|-\d.\d.cram$/g, '')),
)

requireTools('python:pysam')('pysam reads what was asked for', () => {
  test.each(readable)('$name', async ({ path }) => {
    const file = readFileSync(path)
    const files = await Promise.all(
      columnRequests.map(async (request, i) => {
        const to = join(filteredFolder, `${i}-${basename(path)}`)
        writeFileSync(to, await filterCramFile(file, chosen(request)))
        return to
      }),
    )
    const said = (await output('python3', ['-c', viewAll, path, ...files])).toString('latin1')
    const [original, ...filtered] = said.split('=\n').map(text => text.split('\n').filter(Boolean))
    for (const [i, request] of columnRequests.entries())
      expect([nameOf(request), ...breaches(original!, filtered[i]!, chosen(request))]).toEqual([
        nameOf(request),
      ])
  })
})

describe('@gmod/cram reads what was asked for', () => {
  const handle = (bytes: Uint8Array) => ({
    readFile: async () => bytes,
    read: async (length: number, position: number) => bytes.slice(position, position + length),
    stat: async () => ({ size: bytes.length }),
    close: async () => undefined,
  })
  async function records(bytes: Uint8Array): Promise<CramRecord[]> {
    const cram = new IndexedCramFile({
      cramFilehandle: handle(bytes) as never,
      index: new CraiIndex({
        filehandle: handle(indexInChunks(new CramIndexer(), bytes).index.bytes) as never,
      }),
      seqFetch: async (_: number, start: number, end: number) => 'N'.repeat(end - start + 1),
      checkSequenceMD5: false,
    })
    const all = await Promise.all([0, 1, 3].map(refId => cram.getRecordsForRange(refId, 0, 500_000)))
    return all.flat()
  }

  test.each(readable.filter(({ name }) => name.includes('pairs')))('$name', async ({ path }) => {
    const file = readFileSync(path)
    const original = await records(file)
    expect(original.length).toBeGreaterThan(300)
    for (const request of columnRequests) {
      const columns = chosen(request)
      const got = await records(await filterCramFile(file, columns))
      const has = (field: OptionalField) => columns.fields.has(field)
      const shown = (record: CramRecord) => ({
        flags: record.flags,
        place: [record.sequenceId, record.alignmentStart, record.lengthOnRef, record.readLength],
        name: has('QNAME') ? record.readName : '*',
        mappingQuality: has('MAPQ') ? record.mappingQuality : 255,
        qualities: has('QUAL') ? [...(record.qualityScores ?? [])] : [],
        bases: has('SEQ') ? record.getReadBases() : '',
        tags: Object.entries(record.tags)
          .filter(([tag]) => keepsTag(columns, tag))
          .sort(([a], [b]) => (a < b ? -1 : 1)),
      })
      expect(got.map(record => shown(record))).toEqual(original.map(record => shown(record)))
      if (!has('QNAME')) expect(new Set(got.map(record => record.readName))).toEqual(new Set(['*']))
      const qualities = got.map(record => String(record.qualityScores ?? []))
      if (!has('QUAL'))
        expect(
          qualities.filter(
            (each, at) => !/^(255,?)*$/.test(each) && each !== String(original[at]!.qualityScores),
          ),
        ).toEqual([])
    }
  })
})
