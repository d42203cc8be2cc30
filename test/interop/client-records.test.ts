import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { expect, jest, test } from '@jest/globals'
import { memorySource } from '#shared/bytes/ByteSource.ts'
import { fastaReference } from '#shared/client/records/fastaReference.ts'
import type { GenomicRecord } from '#shared/client/records/GenomicRecord.ts'
import { readFileHeader, readRecords, type RecordOptions } from '#shared/client/records/readRecords.ts'
import { refgetReference } from '#shared/client/records/refgetReference.ts'
import { parseSamtoolsRegion } from '#shared/client/samtoolsRegion.ts'
import { codeOf } from '#test/crypt4gh/support.ts'
import { inChunks } from '#test/client/support.ts'
import { fixtures, fixturesOf, refusedFixtures, type Fixture } from '#test/fixtures/index.ts'
import { output, requireTools } from '#test/support/interop.ts'

jest.setTimeout(120_000)

const fasta = fixtures.find(({ reference }) => reference !== undefined)!.reference!
const referenceBytes = Uint8Array.from(readFileSync(fasta))
const reference = fastaReference(memorySource(referenceBytes), readFileSync(`${fasta}.fai`, 'utf8'))

const isReads = ({ format }: Fixture) => format === 'BAM' || format === 'CRAM'

/** What the tools print of each record, as far as it is compared. */
async function wantedOf(fixture: Fixture, region?: string): Promise<string[]> {
  const referenceOption = fixture.reference === undefined ? [] : ['-T', fixture.reference]
  const text = isReads(fixture)
    ? await output('samtools', [
        'view',
        '--no-PG',
        ...referenceOption,
        ...(region ? ['-e', filterOf(region)] : []),
        fixture.path,
      ])
    : await output('bcftools', [
        'view',
        '-H',
        '--no-version',
        ...(region ? ['-t', region, '--targets-overlap', '1'] : []),
        fixture.path,
      ])
  const lines = text.toString('utf8').split('\n').filter(Boolean)
  return isReads(fixture) ? lines.map(line => compared(line.split('\t'))) : lines
}

/** A region as samtools' expression: no index is asked. */
function filterOf(text: string): string {
  const { referenceName, start = 0, end = 2 ** 31 } = parseSamtoolsRegion(text)!
  return `rname=="${referenceName}" && pos<=${end} && endpos>=${start + 1}`
}

const compared = ([name, flag, reference, position, , cigar, , , , bases]: string[]) =>
  [name, flag, reference, position, cigar, bases].join('\t')

function shown(found: GenomicRecord): string {
  if ('line' in found) return found.line
  const place = [found.referenceName ?? '*', found.start + 1]
  if (found.format === 'BAM') {
    const { name, flags, CIGAR, seq } = found.record
    return [name, flags, ...place, CIGAR || '*', seq || '*'].join('\t')
  }
  const { readName, flags, readLength } = found.record
  const bases = found.record.isUnknownBases() || readLength === 0 ? '*' : found.record.getReadBases()
  return [readName, flags, ...place, bases].join('\t')
}

/** @gmod/cram gives features, not a CIGAR: it is not compared. */
const comparable = ({ format }: Fixture, lines: string[]) =>
  format !== 'CRAM'
    ? lines
    : lines.map(line => {
        const [read, flag, reference, position, ...rest] = line.split('\t')
        return [read, flag, reference, position, rest.at(-1)].join('\t')
      })

async function foundIn(fixture: Fixture, options: RecordOptions = {}, chunk = 10_007): Promise<string[]> {
  const found: string[] = []
  for await (const record of readRecords(inChunks(readFileSync(fixture.path), chunk), {
    reference,
    ...options,
  }))
    found.push(shown(record))
  return found
}

requireTools('samtools', 'bcftools')('records', () => {
  test.each(fixtures.map(fixture => [fixture.name, fixture] as const))(
    'of %s are the tools',
    async (_, fixture) => {
      const wanted = await wantedOf(fixture)
      expect(comparable(fixture, await foundIn(fixture))).toEqual(comparable(fixture, wanted))
    },
  )

  test.each(['BAM', 'CRAM', 'VCF', 'BCF'] as const)(
    'of regions of %s are those that overlap',
    async format => {
      let compared = 0
      for (const fixture of fixturesOf(format)) {
        const { references } = await readFileHeader(inChunks(readFileSync(fixture.path), 5000))
        for (const { name, length = 10_000 } of references.slice(0, 3))
          for (const [start, end] of [
            [1, Math.ceil(length / 2)],
            [Math.ceil(length / 3), Math.ceil(length / 3) + 200],
          ]) {
            const region = `{${name}}:${start}-${end}`
            // bcftools -t takes a record at POS 0 for one that is everywhere, and reads no braces.
            if (fixture.name.includes('symbolic') || (name.includes(':') && !isReads(fixture))) continue
            const wanted = await wantedOf(fixture, isReads(fixture) ? region : `${name}:${start}-${end}`)
            const found = await foundIn(fixture, { regions: [parseSamtoolsRegion(region)!] })
            expect([fixture.name, region, comparable(fixture, found)]).toEqual([
              fixture.name,
              region,
              comparable(fixture, wanted),
            ])
            compared += wanted.length
          }
      }
      expect(compared).toBeGreaterThan(100)
    },
  )

  test('of any chunking are the same', async () => {
    for (const format of ['BAM', 'CRAM', 'VCF', 'BCF'] as const) {
      const [fixture] = fixturesOf(format)
      expect(await foundIn(fixture!, {}, 61)).toEqual(await foundIn(fixture!, {}, 1 << 20))
    }
  })
})

test('headers name the references in order', async () => {
  for (const fixture of fixtures) {
    const { format, references, text } = await readFileHeader(inChunks(readFileSync(fixture.path), 999))
    expect([fixture.name, format]).toEqual([fixture.name, fixture.format])
    expect(text.length).toBeGreaterThan(0)
    if (fixture.name.includes('pairs')) expect(references.map(({ name }) => name)).toContain('chr1')
  }
})

const drain = async (path: string, options: RecordOptions = {}) => {
  for await (const { start } of readRecords(inChunks(readFileSync(path), 4096), options))
    expect(start).toBeGreaterThanOrEqual(-1)
}

test.each(
  refusedFixtures
    .filter(({ name }) => /cut-|no-eof|bad-crc|empty|random|fastq|gzip/.test(name))
    .map(({ name, path }) => [name, path]),
)('%s is told to be wrong', async (_, path) =>
  expect(await codeOf(() => drain(path))).toMatch(/^[A-Z0-9_]+$/),
)

test('a CRAM without its reference, or with a wrong one, is told to be so', async () => {
  const { path } = fixtures.find(fixture => fixture.reference !== undefined)!
  expect(await codeOf(() => drain(path))).toBe('REFERENCE_MISSING')
  const wrong = { read: async (_: unknown, start: number, end: number) => 'A'.repeat(end - start) }
  expect(await codeOf(() => drain(path, { reference: wrong }))).toBe('REFERENCE_WRONG')
  expect(await codeOf(() => drain(path, { reference: { read: async () => undefined } }))).toBe(
    'REFERENCE_MISSING',
  )
})

test('a refget server gives the bases by their checksum', async () => {
  const fixture = fixtures.find(({ reference: found }) => found !== undefined)!
  const { references } = await readFileHeader(inChunks(readFileSync(fixture.path), 999))
  let failures = 1
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://h')
    const name = references.find(({ md5 }) => `/base/sequence/${md5}` === url.pathname)?.name
    if (name === undefined) response.writeHead(404).end()
    else if (failures-- > 0) response.writeHead(503).end()
    else
      void reference
        .read({ name }, Number(url.searchParams.get('start')), Number(url.searchParams.get('end')))
        .then(bases => response.end(bases))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const refget = refgetReference(`http://127.0.0.1:${port}/base/`, { retryMs: 1 })
  expect(await foundIn(fixture, { reference: refget })).toEqual(await foundIn(fixture))
  server.closeAllConnections()
  server.close()
})
