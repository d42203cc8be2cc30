import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { HtsvaultError } from '#shared/errors.ts'
import { shortLines } from '#shared/vcf/ShortLines.ts'
import { VcfLine, emptyLine } from '#shared/vcf/VcfLine.ts'
import { type VcfSink, VcfScanner } from '#shared/vcf/VcfScanner.ts'

const header = '##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n'

interface Line {
  readonly start: number
  readonly begin: number
  readonly end: number
}

const word = (letters: string, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...letters.split('|')), minLength: 1, maxLength })

/** Lines as they are usually, and each column as it is not. */
type Columns = Record<'pos' | 'id' | 'ref' | 'alt' | 'qual' | 'filter' | 'info', fc.Arbitrary<string>>
const usual: Columns = {
  pos: fc.integer({ min: 1, max: 999_999_999 }).map(String),
  id: fc.constantFrom('.', 'rs12345'),
  ref: word('A|C|G|T', 4),
  alt: word('A|C|G|T|,', 4),
  qual: fc.constantFrom('.', '29', '3.5'),
  filter: fc.constantFrom('PASS', 'q10;s50'),
  info: fc.constantFrom('.', 'DP=3', 'AC=1;AF=0.5;AN=5008;DP=70346', 'XEND', 'END;FLAG=1', 'DP=3\tGT\t0/1'),
}
const unusual: Columns = {
  pos: fc.constantFrom('0', '00', '07', '1000000000', '99999999999', '', 'x', '1x', '-1'),
  id: fc.constantFrom('', 'a'.repeat(70), 'a'.repeat(62)),
  ref: fc.constantFrom('', 'A'.repeat(40), 'C'.repeat(200)),
  alt: fc.constantFrom('', '<DEL>', 'G'.repeat(60)),
  qual: fc.constantFrom('', '1\n2'),
  filter: fc.constantFrom('', 'f\n', 'q'.repeat(64)),
  info: fc.constantFrom(
    'END=5',
    'SVTYPE=DEL;END=999999999',
    'END=',
    'A=1;END=7;B=2',
    `${'x'.repeat(30)};END=9`,
    '',
  ),
}
const line = (columns: Columns, chrom: fc.Arbitrary<string> = fc.constant('chr1')) =>
  fc
    .tuple(
      chrom,
      columns.pos,
      columns.id,
      columns.ref,
      columns.alt,
      columns.qual,
      columns.filter,
      columns.info,
    )
    .map(fields => `${fields.join('\t')}\n`)
const oneUnusual = fc
  .constantFrom(...(Object.keys(usual) as (keyof Columns)[]))
  .chain(name => line({ ...usual, [name]: unusual[name] }))
const anyLine = fc.oneof(
  { weight: 150, arbitrary: line(usual) },
  { weight: 8, arbitrary: oneUnusual },
  { weight: 3, arbitrary: line(usual, fc.constantFrom('chr10', 'chr', 'c', 'chr1 ', '', '#chr1')) },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r\n', 'chr1\n', 'chr1\t5\n') },
)

/** What `VcfLine` reads one after the other, up to the line that it refuses. */
function oneByOne(bytes: Uint8Array): Line[] {
  const lines: Line[] = []
  const reader = new VcfLine(() => 0)
  try {
    for (let start = 0; start < bytes.length; start = bytes.indexOf(10, start) + 1)
      if (reader.read(bytes, start) !== emptyLine) lines.push({ start, begin: reader.begin, end: reader.end })
  } catch (error) {
    if (!(error instanceof HtsvaultError)) throw error
  }
  return lines
}

describe('short lines', () => {
  test('are read as one by one, or not at all', () => {
    let read = 0
    fc.assert(
      fc.property(fc.array(anyLine, { minLength: 1, maxLength: 40 }), lines => {
        const bytes = new TextEncoder().encode(lines.join(''))
        const wanted = new Map(oneByOne(bytes).map(found => [found.start, found]))
        const reader = shortLines()
        reader.take(bytes)
        for (let start = 0; start < bytes.length; start = bytes.indexOf(10, start) + 1) {
          if (!wanted.has(start)) break
          const count = reader.read(start, bytes.length - 1, new TextEncoder().encode('chr1\t'))
          const { starts, begins, ends } = reader
          for (let i = 0; i < count; i++) {
            // Lines behind one that is refused are none of ours.
            const found = wanted.get(starts[i]!)
            if (found) expect({ start: starts[i], begin: begins[i], end: ends[i] }).toEqual(found)
            expect(bytes[starts[i + 1]! - 1]).toBe(10)
          }
          read += count
        }
      }),
      { numRuns: 300 },
    )
    expect(read).toBeGreaterThan(1000)
  })

  test('all the usual ones are read at once', () => {
    fc.assert(
      fc.property(fc.array(line(usual), { minLength: 1, maxLength: 300 }), lines => {
        const bytes = new TextEncoder().encode(lines.join(''))
        const reader = shortLines()
        reader.take(bytes)
        expect(reader.read(0, bytes.length - 1, new TextEncoder().encode('chr1\t'))).toBe(lines.length)
        expect(reader.starts[lines.length]).toBe(bytes.length)
      }),
      { numRuns: 50 },
    )
  })

  test('a file is the same in blocks of any size, up to what is wrong with it', () => {
    let records = 0
    const scanned = (bytes: Uint8Array, size: number) => {
      const seen: unknown[] = []
      // A place is a byte of the file, as if no block were compressed, wherever blocks begin.
      const place = (start: number) => Math.floor(start / 65536) + (start % 65536)
      const sink: VcfSink = {
        header: () => undefined,
        contig: name => seen.push(name),
        record: (reference, begin, end, start) => seen.push([reference, begin, end, place(start)]),
      }
      const scanner = new VcfScanner(sink)
      try {
        for (let at = 0; at < bytes.length; at += size)
          scanner.block(bytes.subarray(at, at + size), at, Math.min(size, bytes.length - at))
        scanner.finish()
      } catch (error) {
        if (!(error instanceof HtsvaultError)) throw error
        seen.push(error.code, scanner.records, scanner.lines)
      }
      records += scanner.records
      return seen
    }
    fc.assert(
      fc.property(
        fc.array(anyLine, { minLength: 30, maxLength: 200 }),
        fc.integer({ min: 300, max: 3000 }),
        (lines, size) => {
          const bytes = new TextEncoder().encode(header + lines.join(''))
          // In one block no lines were short before.
          expect(scanned(bytes, size)).toEqual(scanned(bytes, bytes.length))
        },
      ),
      { numRuns: 200 },
    )
    expect(records).toBeGreaterThan(2000)
  })
})
