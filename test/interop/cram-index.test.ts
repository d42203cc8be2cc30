import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { CraiIndex, IndexedCramFile } from '@gmod/cram'
import { expect, jest, test } from '@jest/globals'
import { memorySource } from '#shared/bytes/ByteSource.ts'
import { content, method } from '#shared/cram/BlockHeader.ts'
import { openBlockMap } from '#shared/indexes/blockMap/openBlockMap.ts'
import type { Region } from '#shared/indexes/blockMap/Region.ts'
import { queryCrai } from '#shared/indexes/crai/queryCrai.ts'
import { readCrai } from '#shared/indexes/crai/readCrai.ts'
import { CramIndexer } from '#shared/indexes/CramIndexer.ts'
import type { IndexedFile } from '#shared/indexes/FileIndexer.ts'
import { fixturesOf } from '#test/fixtures/index.ts'
import { indexInChunks } from '#test/support/indexing.ts'
import { describeWithData, output, requireTools, sharedData, temporaryFolder } from '#test/support/interop.ts'
import { seededRandom } from '#test/support/random.ts'
import { samText } from '#test/support/samGenerator.ts'

jest.setTimeout(300_000)

const folder = temporaryFolder()

const index = (path: string): IndexedFile => indexInChunks(new CramIndexer(), readFileSync(path))
const text = (indexed: IndexedFile) => gunzipSync(indexed.index.bytes).toString()

let indexes = 0
async function samtoolsIndex(path: string): Promise<string> {
  const to = join(folder, `${++indexes}.crai`)
  await output('samtools', ['index', '-o', to, path])
  return gunzipSync(readFileSync(to)).toString()
}

requireTools('samtools')('the index is what samtools makes', () => {
  test.each(fixturesOf('CRAM'))('of $name', async ({ path }) => {
    expect(text(index(path))).toBe(await samtoolsIndex(path))
  })
})

for (const below of ['cram/3.0', 'reads'])
  describeWithData(below)(`the shared files of ${below}`, () => {
    const files = readdirSync(sharedData(below) ?? '').filter(name => name.endsWith('.cram'))

    requireTools('samtools')('are indexed as samtools does', () => {
      test.each(files)('%s', async name => {
        const path = sharedData(join(below, name))!
        expect(text(index(path))).toBe(await samtoolsIndex(path))
      })
    })
  })

/** Reads of all sorts on references short and long, which samtools writes in every way it has. */
const references = [
  ['long', 60_000],
  ['HLA:*01', 9_000],
  ['c3', 3_000],
  ['c4', 700],
  ['none', 500],
  ['c6', 900],
  ['last', 40_000],
] as const

const options = [
  '',
  'seqs_per_slice=100,slices_per_container=4',
  'multi_seq_per_slice=1',
  'multi_seq_per_slice=1,seqs_per_slice=37,slices_per_container=3',
  'multi_seq_per_slice=1,seqs_per_slice=500,use_bzip2',
  'multi_seq_per_slice=1,seqs_per_slice=500,use_lzma',
  'multi_seq_per_slice=1,use_arith',
  'multi_seq_per_slice=1,use_rans=0,use_tok=0',
  'multi_seq_per_slice=1,level=0',
  'multi_seq_per_slice=1,level=9,use_bzip2,use_lzma,use_arith,use_fqz',
  'multi_seq_per_slice=1,no_ref',
  'multi_seq_per_slice=1,lossy_names',
  'multi_seq_per_slice=1,store_md,store_nm',
  'embed_ref=1,seqs_per_slice=200',
  'embed_ref=2',
  'multi_seq_per_slice=1,fast',
  'multi_seq_per_slice=1,small',
  'archive',
  'multi_seq_per_slice=1,archive',
]

let written: { sam: string; fasta: string } | undefined
function source() {
  if (written) return written
  const random = seededRandom(17)
  const bases = (n: number) => Array.from({ length: n }, () => random.pick('ACGT')).join('')
  const fasta = join(folder, 'reference.fa')
  writeFileSync(fasta, references.map(([name, length]) => `>${name}\n${bases(length)}\n`).join(''))
  const sam = join(folder, 'reads.sam')
  writeFileSync(sam, samText({ seed: 5, references, reads: 700, unplaced: 200, bare: 0.1 }))
  return (written = { sam, fasta })
}

async function write(version: string, option: string): Promise<string> {
  const { sam, fasta } = source()
  const path = join(folder, `${version}-${option.replaceAll(/\W/g, '-')}.cram`)
  const format = `cram,version=${version}${option && `,${option}`}`
  await output('samtools', ['view', '-O', format, '-T', fasta, '-o', path, sam])
  return path
}

requireTools('samtools')('files that samtools writes', () => {
  const cases = ['2.1', '3.0', '3.1'].flatMap(version => options.map(option => [version, option] as const))

  test.each(cases)('%s %s', async (version, option) => {
    const path = await write(version, option)
    const indexed = index(path)
    expect(indexed.formatVersion).toBe(version)
    expect(text(indexed)).toBe(await samtoolsIndex(path))
    const count = async (...flags: string[]) =>
      Number(
        await output('samtools', ['view', '-c', '--input-fmt-option', 'required_fields=0x2', ...flags, path]),
      )
    expect(indexed.records).toBe(await count())
  })

  test('the codecs of 3.1 were met where positions are', async () => {
    const arithmetic = await write('3.1', 'multi_seq_per_slice=1,use_arith')
    const rans = await write('3.1', 'multi_seq_per_slice=1')
    const bzip2 = await write('2.1', 'multi_seq_per_slice=1,seqs_per_slice=500,use_bzip2')
    const { methodsMet } = await import('#test/support/cramMethods.ts')
    expect(methodsMet(readFileSync(arithmetic), content.external)).toContain(method.arithmetic)
    expect(methodsMet(readFileSync(rans), content.external)).toContain(method.ransNx16)
    expect(methodsMet(readFileSync(bzip2), content.external)).toContain(method.bzip2)
  })
})

requireTools('samtools')('queries', () => {
  const files = [
    ['3.0', ''],
    ['3.0', 'multi_seq_per_slice=1,seqs_per_slice=37,slices_per_container=3'],
    ['2.1', 'seqs_per_slice=100,slices_per_container=4'],
    ['3.1', 'multi_seq_per_slice=1,archive'],
  ] as const

  test.each(files)(
    '%s %s: samtools finds as much with our index as with its own',
    async (version, option) => {
      const path = await write(version, option)
      const ours = join(folder, `ours-${++indexes}.crai`)
      writeFileSync(ours, index(path).index.bytes)
      const theirs = join(folder, `theirs-${++indexes}.crai`)
      await output('samtools', ['index', '-o', theirs, path])
      let found = 0
      for (const region of regions(25)) {
        const count = async (crai: string) =>
          Number(
            await output('samtools', ['view', '-c', '-T', source().fasta, '-X', path, crai, spell(region)]),
          )
        const wanted = await count(theirs)
        expect([spell(region), await count(ours)]).toEqual([spell(region), wanted])
        found += wanted
      }
      expect(found).toBeGreaterThan(100)
    },
  )

  test.each(files)(
    '%s %s: the containers that a plan names hold all records of a region',
    async (version, option) => {
      const path = await write(version, option)
      const file = readFileSync(path)
      const indexed = index(path)
      const dataEnd = indexed.dataEnd / 65536
      const crai = readCrai(indexed.index.bytes)
      const map = await openBlockMap(memorySource(indexed.blockMap))
      const cut = join(folder, `cut-${++indexes}.cram`)
      const own = join(folder, `own-${indexes}.crai`)
      writeFileSync(own, indexed.index.bytes)
      let narrower = 0
      for (const region of regions(12)) {
        const wanted = await output('samtools', [
          'view',
          '-T',
          source().fasta,
          '-X',
          path,
          own,
          spell(region),
        ])
        const refId = region.refId
        const byCrai = queryCrai(crai, refId, region.start, region.end, dataEnd)
        const asked: Region = refId === -1 ? 'unplaced' : region
        const byMap = (await map.units([asked])).map(run => ({
          start: run.start / 65536,
          end: run.end / 65536,
        }))
        const total = (ranges: readonly { start: number; end: number }[]) =>
          ranges.reduce((sum, range) => sum + range.end - range.start, 0)
        expect(total(byMap)).toBeLessThanOrEqual(total(byCrai))
        if (total(byCrai) < dataEnd - indexed.headerEnd / 65536) narrower++
        for (const ranges of [byCrai, byMap]) {
          writeFileSync(
            cut,
            Buffer.concat([
              file.subarray(0, indexed.headerEnd / 65536),
              ...ranges.map(({ start, end }) => file.subarray(start, end)),
              file.subarray(dataEnd),
            ]),
          )
          await output('samtools', ['index', cut])
          const got = await output('samtools', ['view', '-T', source().fasta, cut, spell(region)])
          expect([spell(region), got.equals(wanted)]).toEqual([spell(region), true])
        }
      }
      expect(narrower).toBeGreaterThan(0)
    },
  )
})

requireTools('samtools')('@gmod/cram', () => {
  test('finds the aligned records of a region by our index that samtools finds', async () => {
    const path = await write('3.0', 'multi_seq_per_slice=1,seqs_per_slice=100')
    const indexed = index(path)
    const handle = (bytes: Uint8Array) => ({
      readFile: async () => bytes,
      read: async (length: number, position: number) => bytes.slice(position, position + length),
      stat: async () => ({ size: bytes.length }),
      close: async () => undefined,
    })
    const cram = new IndexedCramFile({
      cramFilehandle: handle(readFileSync(path)) as never,
      index: new CraiIndex({ filehandle: handle(indexed.index.bytes) as never }),
      seqFetch: async (_: number, start: number, end: number) => 'N'.repeat(end - start + 1),
      checkSequenceMD5: false,
    })
    const crai = join(folder, `gmod.crai`)
    writeFileSync(crai, indexed.index.bytes)
    let found = 0
    for (const region of regions(15)) {
      if (region.refId < 0) continue
      // Its start is exclusive: a record that ends on the first position of a region is left out.
      const records = await cram.getRecordsForRange(region.refId, region.start, region.end)
      // @gmod/cram leaves out what spans no base of the reference, samtools counts it as one.
      const spans = (cigar: string) => /[MDN]/.test(cigar)
      const positions = records
        .filter(record => !record.isSegmentUnmapped() && (record.lengthOnRef ?? 0) > 0)
        .map(record => record.alignmentStart)
        .sort((a, b) => a - b)
      const sam = await output('samtools', [
        'view',
        '-F',
        '4',
        '-T',
        source().fasta,
        '-X',
        path,
        crai,
        spell(region),
      ])
      const wanted = sam
        .toString()
        .split('\n')
        .map(line => line.split('\t'))
        .filter(fields => fields.length > 1 && spans(fields[5]!))
        .map(fields => Number(fields[3]))
      expect([spell(region), positions]).toEqual([spell(region), wanted])
      found += records.length
    }
    expect(found).toBeGreaterThan(50)
  })
})

interface Asked {
  readonly refId: number
  readonly start: number
  readonly end: number
}

function regions(count: number): Asked[] {
  const random = seededRandom(count)
  const asked: Asked[] = [{ refId: -1, start: 0, end: 1 }]
  for (let i = 1; i < count; i++) {
    const refId = random.below(references.length)
    const length = references[refId]![1]
    const start = random.below(length)
    const end = Math.min(length, start + 1 + random.below(random.chance(0.5) ? 30 : length))
    asked.push({ refId, start, end })
  }
  return asked
}

const spell = ({ refId, start, end }: Asked) =>
  refId === -1 ? '*' : `{${references[refId]![0]}}:${start + 1}-${end}`
