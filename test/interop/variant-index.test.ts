import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { readBgzf } from '#shared/bgzf/readBgzf.ts'
import { writeBgzf } from '#shared/bgzf/writeBgzf.ts'
import { BcfIndexer } from '#shared/indexes/BcfIndexer.ts'
import type { FileIndexer, IndexedFile } from '#shared/indexes/FileIndexer.ts'
import { VcfIndexer } from '#shared/indexes/VcfIndexer.ts'
import { bcfHeader, bcfRecord, joined } from '#test/support/bcfBytes.ts'
import {
  describeWithData,
  output,
  requireTools,
  run,
  sharedData,
  temporaryFolder,
} from '#test/support/interop.ts'
import { seededRandom } from '#test/support/random.ts'
import { variantText, type VariantTextOptions } from '#test/support/variantText.ts'

function indexWith(indexer: FileIndexer, file: Uint8Array, chunk = 1 << 16): IndexedFile {
  for (let at = 0; at < file.length; at += chunk) indexer.push(file.subarray(at, at + chunk))
  return indexer.finish()
}

const inflated = (bytes: Uint8Array) => Buffer.from(readBgzf(bytes))

/** Cuts bytes into BGZF blocks of random sizes, empty ones among them; bcftools wants the first to show the format. */
function oddBlocks(plain: Uint8Array, seed: number, largest: number): Uint8Array {
  const random = seededRandom(seed)
  const blocks: Uint8Array[] = []
  for (let at = 0; at < plain.length;) {
    const size = at === 0 ? Math.max(100, largest) : random.between(1, largest)
    blocks.push(writeBgzf(plain.subarray(at, at + size), { eof: false }))
    if (random.chance(0.05)) blocks.push(writeBgzf(new Uint8Array(0)))
    at += size
  }
  return Buffer.concat([...blocks, writeBgzf(new Uint8Array(0))])
}

const long = (name: string) => ({ name, length: 200_000_000 })
const cases: Record<string, VariantTextOptions> = {
  'thin records on many contigs': { seed: 1, contigs: ['a', 'b', 'c', 'd', 'e'].map(long), records: 4000 },
  'many samples': { seed: 2, contigs: [long('chr1'), long('chr2')], records: 400, samples: 200 },
  'lines longer than a block': { seed: 3, contigs: [long('chr1')], records: 30, samples: 6000 },
  'symbolic alleles with END and SVLEN': {
    seed: 4,
    contigs: [long('1'), long('2')],
    records: 5000,
    symbolic: 0.3,
  },
  'names with colons and HLA names': {
    seed: 5,
    contigs: ['HLA:A:01', 'HLA:A:02', 'HLA-DRB1*15:01:01:01', '1:100-200'].map(long),
    records: 50,
  },
  'contigs without a length': { seed: 6, contigs: [{ name: 'x' }, { name: 'y' }], records: 500 },
  'contigs missing from the header': {
    seed: 7,
    contigs: [{ ...long('z'), header: false }, long('a'), { name: 'b', header: false }],
    records: 300,
  },
  'sparse records over whole chromosomes': {
    seed: 8,
    contigs: [long('1'), long('2')],
    records: 600,
    spacing: 100_000,
  },
  'short contigs': {
    seed: 9,
    contigs: [
      { name: 's', length: 20_000 },
      { name: 't', length: 20_000 },
    ],
    records: 40,
  },
  'one record': { seed: 10, contigs: [long('1')], records: 1 },
  'a header alone': { seed: 11, contigs: [long('1'), long('2')], records: 0 },
  'a header without contigs': { seed: 12, contigs: [], records: 0 },
}
const pastTheEnd = 'a position over 2^29 after many others'
const longCases: Record<string, VariantTextOptions> = {
  'a contig over 2^29': { seed: 20, contigs: [{ name: 'a', length: 2 ** 30 }, long('b')], records: 500 },
  'positions over 2^29': {
    seed: 21,
    contigs: [{ name: 'a', length: 2 ** 31 - 1 }],
    records: 3000,
    from: 2 ** 29 - 200_000,
    symbolic: 0.1,
  },
  'positions over 2^29 on a contig without a length': {
    seed: 22,
    contigs: [{ name: 'a' }],
    records: 3000,
    from: 2 ** 29 - 200_000,
  },
  [pastTheEnd]: {
    seed: 23,
    contigs: [long('a'), { name: 'b' }],
    records: 3000,
    spacing: 150_000,
    symbolic: 0.05,
  },
}

requireTools(
  'tabix',
  'bcftools',
  'bgzip',
)('VCF, against tabix and bcftools', () => {
  const folder = temporaryFolder()
  let files = 0

  async function expectSameTbi(file: Uint8Array): Promise<IndexedFile> {
    const path = join(folder, `${files++}.vcf.gz`)
    writeFileSync(path, file)
    const ours = indexWith(new VcfIndexer(), file)
    expect(ours.index.kind).toBe('tbi')
    await output('tabix', ['-p', 'vcf', path])
    expect(inflated(ours.index.bytes).equals(inflated(readFileSync(`${path}.tbi`)))).toBe(true)
    await output('bcftools', ['index', '-t', '-f', path])
    expect(inflated(ours.index.bytes).equals(inflated(readFileSync(`${path}.tbi`)))).toBe(true)
    await expectSameCsi(file, new VcfIndexer({ index: 'csi' }))
    return ours
  }

  async function expectSameCsi(file: Uint8Array, indexer = new VcfIndexer()): Promise<IndexedFile> {
    const path = join(folder, `${files++}.vcf.gz`)
    writeFileSync(path, file)
    const ours = indexWith(indexer, file)
    expect(ours.index.kind).toBe('csi')
    await output('bcftools', ['index', '-f', path])
    expect(inflated(ours.index.bytes).equals(inflated(readFileSync(`${path}.csi`)))).toBe(true)
    return ours
  }

  test.each(Object.entries(cases))('%s: the same TBI and CSI', async (_name, options) => {
    const text = variantText(options)
    const ours = await expectSameTbi(await output('bgzip', ['-c'], { input: text }))
    expect(ours.records).toBe(options.records * options.contigs.length)
  })

  test.each(Object.entries(longCases))('%s: the same CSI', async (_name, options) => {
    await expectSameCsi(await output('bgzip', ['-c'], { input: variantText(options) }))
  })

  test.each([1, 7, 60, 900, 65280])('blocks of up to %d bytes, empty ones among them', async largest => {
    const records = largest < 60 ? 60 : 2000
    const text = variantText({
      seed: largest,
      contigs: [long('a'), long('b')],
      records,
      samples: 2,
      symbolic: 0.1,
    })
    await expectSameTbi(oddBlocks(Buffer.from(text), largest, largest))
  })

  test('lines that end in CRLF', async () => {
    const text = variantText({ seed: 30, contigs: [long('a')], records: 800, symbolic: 0.3, ending: '\r\n' })
    await expectSameTbi(oddBlocks(Buffer.from(text), 5, 300))
  })

  test('a last line without its newline, and empty lines at the end', async () => {
    const text = variantText({ seed: 31, contigs: [long('a')], records: 50 })
    await expectSameTbi(writeBgzf(Buffer.from(text.trimEnd())))
    await expectSameTbi(writeBgzf(Buffer.from(`${text}\n\r\n`)))
  })

  test('POS 0, and END and REF in each relation', async () => {
    const head = variantText({ seed: 0, contigs: [long('a')], records: 0 })
    const info = [
      '.',
      'END=3',
      'END=100',
      'END=.',
      'END=',
      'DP=1;END=9',
      'CIEND=4',
      'CIEND=4;END=60',
      'END=7;END=90',
      'END=-4',
    ]
    const lines = [0, 0, 1, 1, 2, 5, 8, 100, 16384, 16385].flatMap(pos =>
      info.map(i => `a\t${pos}\t.\t${'ACGT'.repeat(pos % 5)}A\t<DEL>\t.\t.\t${i}\n`),
    )
    await expectSameTbi(writeBgzf(Buffer.from(head + lines.join('')), { blockSize: 100 }))
  })

  test('what we refuse, tabix or bcftools refuse too', async () => {
    const head = variantText({ seed: 0, contigs: [long('a'), long('b')], records: 0 })
    const at = (name: string, pos: number) => `${name}\t${pos}\t.\tA\tC\t.\t.\t.\n`
    for (const [body, code] of [
      [at('a', 5) + at('a', 4), 'UNSORTED'],
      [at('a', 5) + at('b', 4) + at('a', 6), 'UNSORTED'],
    ] as const) {
      const file = writeBgzf(Buffer.from(head + body))
      const path = join(folder, `${files++}.vcf.gz`)
      writeFileSync(path, file)
      expect(() => indexWith(new VcfIndexer(), file)).toThrow(expect.objectContaining({ code }))
      expect((await run('tabix', ['-p', 'vcf', path])).code).not.toBe(0)
    }
  })

  test('tabix finds through our index the records that overlap a region', async () => {
    const contigs = [long('a'), long('b:1')]
    const text = variantText({ seed: 40, contigs, records: 20_000, symbolic: 0.02 })
    const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
    const records = lines.map(line => {
      const [name, pos, , ref, , , , info] = line.split('\t')
      const end = /(?:^|;)END=(\d+)/.exec(info!)
      return { line, name, pos: Number(pos), end: end ? Number(end[1]) : Number(pos) + ref!.length - 1 }
    })
    const file = await output('bgzip', ['-c'], { input: text })
    for (const index of ['tbi', 'csi'] as const) {
      const path = join(folder, `${files++}.vcf.gz`)
      writeFileSync(path, file)
      writeFileSync(`${path}.${index}`, indexWith(new VcfIndexer({ index }), file).index.bytes)
      const random = seededRandom(41)
      let compared = 0
      for (let i = 0; i < 20; i++) {
        const { name, pos, end } = random.pick(records)
        const from = random.pick([pos, end, pos + 1, end + 1, Math.max(1, pos - random.below(50_000))])
        const to = from + random.pick([0, 1, random.below(300_000)])
        const found = await output('tabix', [path, `{${name!}}:${from}-${to}`])
        const expected = records.filter(r => r.name === name && r.pos <= to && r.end >= from)
        expect(found.toString()).toBe(expected.map(r => `${r.line}\n`).join(''))
        compared += expected.length
      }
      expect(compared).toBeGreaterThan(500)
    }
  })
})

requireTools('bcftools')('BCF, against bcftools', () => {
  const folder = temporaryFolder()
  let files = 0

  async function expectSame(file: Uint8Array): Promise<IndexedFile> {
    const path = join(folder, `${files++}.bcf`)
    writeFileSync(path, file)
    const ours = indexWith(new BcfIndexer(), file)
    expect(ours.index.kind).toBe('csi')
    await output('bcftools', ['index', '-f', path])
    expect(inflated(ours.index.bytes).equals(inflated(readFileSync(`${path}.csi`)))).toBe(true)
    return ours
  }

  const bcfOf = (text: string) => output('bcftools', ['view', '-Ob', '--no-version', '-'], { input: text })

  // bcftools writes no BCF of records whose contigs its header lacks, and indexes none past the header's ends.
  const written = Object.entries({ ...cases, ...longCases }).filter(
    ([name, { contigs }]) => name !== pastTheEnd && contigs.every(contig => contig.header !== false),
  )

  test.each(written)('%s: the same CSI', async (_name, options) => {
    const ours = await expectSame(await bcfOf(variantText(options)))
    expect(ours.records).toBe(options.records * options.contigs.length)
  })

  test.each([1, 40, 900, 65280])('blocks of up to %d bytes, empty ones among them', async largest => {
    const text = variantText({
      seed: largest,
      contigs: [long('a'), long('b')],
      records: largest < 40 ? 30 : 800,
      samples: 3,
      symbolic: 0.1,
    })
    await expectSame(oddBlocks(inflated(await bcfOf(text)), largest, largest))
  })

  test('records past the declared ends, which bcftools index does not take: bcftools reads by our index', async () => {
    const options = longCases[pastTheEnd]!
    const file = await bcfOf(variantText(options))
    const path = join(folder, `${files++}.bcf`)
    writeFileSync(path, file)
    expect((await run('bcftools', ['index', path])).code).not.toBe(0)
    writeFileSync(`${path}.csi`, indexWith(new BcfIndexer(), file).index.bytes)
    const found = await output('bcftools', ['view', '-H', '-r', 'b:550000000-', path])
    const all = (await output('bcftools', ['view', '-H', path])).toString().split('\n')
    const expected = all.filter(line => line.startsWith('b\t') && Number(line.split('\t')[1]) >= 550_000_000)
    expect(expected.length).toBeGreaterThan(100)
    for (const line of expected) expect(found.includes(line)).toBe(true)
  })

  const columns = '#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n\0'
  const withContigs = (...lines: string[]) =>
    bcfHeader(['##fileformat=VCFv4.2', ...lines.map(line => `##contig=<${line}>`), columns].join('\n'))

  test('a dictionary with gaps and out of order', async () => {
    const header = withContigs(
      'ID=a,length=90000,IDX=0',
      'ID=late,length=700000,IDX=7',
      'ID=b,IDX=3',
      'ID=next',
    )
    const records = [7, 0, 8, 3].flatMap(id => [5, 40_000, 80_000].map(pos => bcfRecord(id, pos, 10)))
    for (const some of [records, records.slice(3, 6), []])
      await expectSame(writeBgzf(joined(header, ...some), { blockSize: 250 }))
  })

  test('telomeres, records without a length, and lengths below zero', async () => {
    const header = withContigs('ID=a,length=90000', 'ID=b', 'ID=c')
    const records = [
      bcfRecord(0, -1, 3),
      bcfRecord(0, 0, 1),
      bcfRecord(0, 5, 0),
      bcfRecord(0, 5, -7, { ref: 9 }),
      bcfRecord(0, 16380, -1, { ref: 14 }),
      bcfRecord(0, 16384, 40_000),
      bcfRecord(1, -1, 0),
      bcfRecord(1, 32768, 1),
    ]
    await expectSame(writeBgzf(joined(header, ...records), { blockSize: 250 }))
  })

  test('a contig that the header lacks, refused by both', async () => {
    const file = writeBgzf(
      joined(withContigs('ID=a,IDX=0', 'ID=c,IDX=2'), bcfRecord(0, 5, 1), bcfRecord(1, 5, 1)),
    )
    const path = join(folder, `${files++}.bcf`)
    writeFileSync(path, file)
    expect(() => indexWith(new BcfIndexer(), file)).toThrow(
      expect.objectContaining({ code: 'BCF_RECORD_INVALID' }),
    )
    expect((await run('bcftools', ['index', path])).code).not.toBe(0)
  })
})

describeWithData('variants')('the shared variant files', () => {
  requireTools('tabix', 'bcftools')('against tabix and bcftools', () => {
    const folder = temporaryFolder()
    test.each(['sample1-bcbio-cancer', 'spec-v4.3'])('%s', async name => {
      for (const [ending, flag, indexer] of [
        ['vcf.gz', '-t', new VcfIndexer()],
        ['vcf.gz', '-c', new VcfIndexer({ index: 'csi' })],
        ['bcf', '-c', new BcfIndexer()],
      ] as const) {
        const path = sharedData(join('variants', `${name}.${ending}`))!
        const peer = join(folder, 'peer')
        await output('bcftools', ['index', flag, '-f', '-o', peer, path])
        const ours = indexWith(indexer, readFileSync(path), 100)
        expect(inflated(ours.index.bytes).equals(inflated(readFileSync(peer)))).toBe(true)
      }
    })
  })
})
