import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { HtsvaultError } from '#shared/errors.ts'
import type { VcfHeader } from '#shared/vcf/VcfHeader.ts'
import { VcfScanner } from '#shared/vcf/VcfScanner.ts'

const head =
  '##fileformat=VCFv4.3\n##contig=<ID=chr1,length=1000>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n'

interface Found {
  header: VcfHeader | undefined
  headerEnd: number
  /** `name:begin-end@start`. */
  records: string[]
  end: number
}

/** Scans `text` cut into blocks at `cuts`: each block is 100 bytes in the file, whatever it holds. */
function scan(text: string, cuts: readonly number[] = []): Found {
  const bytes = new TextEncoder().encode(text)
  const names: string[] = []
  const found: Found = { header: undefined, headerEnd: -1, records: [], end: -1 }
  const scanner = new VcfScanner({
    header(header, _text, end) {
      found.header = header
      found.headerEnd = end
    },
    contig: name => names.push(name) - 1,
    record(reference, begin, end, start) {
      found.records.push(`${names[reference]!}:${begin}-${end}@${start}`)
    },
  })
  const borders = [0, ...cuts, bytes.length]
  for (let i = 1; i < borders.length; i++)
    scanner.block(bytes.subarray(borders[i - 1], borders[i]), (i - 1) * 100, 100)
  scanner.finish()
  found.end = scanner.end
  return found
}

const record = (columns: string) => scan(head + columns + '\n').records.map(r => r.split('@')[0])
const line = (pos: number | string, ref = 'A', info = '.') => `chr1\t${pos}\t.\t${ref}\tC\t.\t.\t${info}`
const codeOf = (text: string, cuts?: number[]) => {
  try {
    scan(text, cuts)
    return 'none'
  } catch (error) {
    return (error as HtsvaultError).code
  }
}

describe('the extent of a record', () => {
  test.each([
    ['one base', line(10), 'chr1:9-10'],
    ['the length of REF', line(10, 'ACGT'), 'chr1:9-13'],
    ['POS 0 with one base', line(0), 'chr1:0-1'],
    ['POS 0 with more', line(0, 'ACG'), 'chr1:0-3'],
    ['an empty REF', line(10, ''), 'chr1:9-10'],
    ['END first', line(10, 'A', 'END=50;DP=1'), 'chr1:9-50'],
    ['END later', line(10, 'A', 'DP=1;END=50'), 'chr1:9-50'],
    ['END shorter than REF', line(10, 'ACGTACGT', 'END=12'), 'chr1:9-12'],
    ['END at the begin counts', line(10, 'ACG', 'END=10'), 'chr1:9-10'],
    ['END before the begin does not', line(10, 'ACG', 'END=9'), 'chr1:9-12'],
    ['a missing END does not', line(10, 'ACG', 'END=.'), 'chr1:9-12'],
    ['CIEND is another key', line(10, 'A', 'CIEND=50;XEND=60'), 'chr1:9-10'],
    ['the first END counts', line(10, 'A', 'END=50;END=60'), 'chr1:9-50'],
    ['SVLEN does not count', line(10, 'A', 'SVTYPE=DEL;SVLEN=-500'), 'chr1:9-10'],
    ['END with samples behind', line(10, 'A', 'END=50') + '\tGT\t0/1\t1/1', 'chr1:9-50'],
    ['END= in a sample is none', line(10, 'A', 'X=1') + '\tGT\tEND=70', 'chr1:9-10'],
    ['a position over 2^29', line(2 ** 31 - 1), `chr1:${2 ** 31 - 2}-${2 ** 31 - 1}`],
  ])('%s', (_name, columns, extent) => {
    expect(record(columns)).toEqual([extent])
  })

  test('a name may hold colons and letters beyond ASCII', () => {
    expect(record('HLA:1:2\t5\t.\tA\tC\t.\t.\t.\nü\t6\t.\tA\tC\t.\t.\t.')).toEqual(['HLA:1:2:4-5', 'ü:5-6'])
  })

  test('a name that is the begin of the one before is another', () => {
    const names = ['chr11', 'chr1', 'chr', 'chr1'].map(n => `${n}\t5\t.\tA\tC\t.\t.\t.`)
    expect(record(names.join('\n'))).toEqual(['chr11:4-5', 'chr1:4-5', 'chr:4-5', 'chr1:4-5'])
  })
})

describe('lines', () => {
  test('CRLF ends lines too', () => {
    const text = (head + line(10, 'A', 'END=20') + '\n' + line(30) + '\n').replaceAll('\n', '\r\n')
    expect(scan(text).records.map(r => r.split('@')[0])).toEqual(['chr1:9-20', 'chr1:29-30'])
    expect(scan(text).header).toMatchObject({ version: '4.3', contigs: [{ name: 'chr1', length: 1000 }] })
  })

  test('the last may lack its newline', () => {
    const found = scan(head + line(10))
    expect(found.records).toHaveLength(1)
    expect(found.end).toBe(100 * 65536)
  })

  test('a header alone, with and without its newline', () => {
    expect(scan(head)).toMatchObject({ records: [], headerEnd: 100 * 65536 })
    expect(scan(head.trimEnd())).toMatchObject({ records: [], headerEnd: 100 * 65536 })
  })

  test('what starts where a block ends has the offset of the next byte in the file', () => {
    const found = scan(head + line(10) + '\n', [head.length, head.length])
    expect(found.headerEnd).toBe(100 * 65536)
    // An empty block stands at 100; the record's first byte is in the block at 200.
    expect(found.records).toEqual([`chr1:9-10@${100 * 65536}`])
  })

  test('empty lines at the end are passed over, others refused with their line', () => {
    expect(scan(head + line(10) + '\n\n\r\n').records).toHaveLength(1)
    expect(() => scan(head + line(10) + '\n\n' + line(11) + '\n')).toThrow(
      expect.objectContaining({ code: 'VCF_EMPTY_LINE', place: { line: 5 } }),
    )
  })

  test.each([
    ['fewer than eight columns', 'chr1\t5\t.\tA\tC\t.\t.'],
    ['no columns', 'chr1'],
    ['an empty CHROM', '\t5\t.\tA\tC\t.\t.\t.'],
    ['a NUL in CHROM', 'a\0b\t5\t.\tA\tC\t.\t.\t.'],
    ['POS that is no number', line('x')],
    ['an empty POS', line('')],
    ['a negative POS', line('-5')],
    ['a POS that tabix would read as octal', line('010')],
    ['a POS beyond every index', line('9'.repeat(30))],
    ['an END beyond every index', line(5, 'A', `END=${'9'.repeat(30)}`)],
    ['a header line', '#comment'],
  ])('%s is refused', (_name, columns) => {
    expect(codeOf(head + columns + '\n')).toBe('VCF_RECORD_INVALID')
    expect(codeOf(head + columns + '\n', [head.length + 1])).toBe('VCF_RECORD_INVALID')
  })

  test.each([
    ['nothing at all', ''],
    ['no #CHROM line', '##fileformat=VCFv4.3\n'],
    ['records in its place', '##fileformat=VCFv4.3\n' + line(5) + '\n'],
    ['no fileformat', '##x=y\n#CHROM\tPOS\n'],
    ['another last line', '##fileformat=VCFv4.3\n#CHR\tPOS\n'],
  ])('a header with %s is refused', (_name, text) => {
    expect(codeOf(text)).toBe('VCF_HEADER_INVALID')
  })

  test('CHROM to INFO without end is refused before it fills the memory', () => {
    const scanner = new VcfScanner({ header: () => undefined, contig: () => 0, record: () => undefined })
    scanner.block(new TextEncoder().encode(head), 0, 100)
    const block = new Uint8Array(65536).fill(65)
    expect(() => {
      for (let i = 1; i < 2000; i++) scanner.block(block, i * 100, 100)
    }).toThrow(expect.objectContaining({ code: 'VCF_LINE_TOO_LONG' }))
  })

  test('sample columns may be of any length', () => {
    const names: string[] = []
    const found: number[] = []
    const scanner = new VcfScanner({
      header: () => undefined,
      contig: name => names.push(name) - 1,
      record: (_id, begin) => found.push(begin),
    })
    scanner.block(new TextEncoder().encode(head + line(10) + '\tGT'), 0, 100)
    const block = new Uint8Array(65536).fill(65)
    for (let i = 1; i < 2000; i++) scanner.block(block, i * 100, 100)
    scanner.block(new TextEncoder().encode('\n' + line(20) + '\n'), 200_000, 100)
    scanner.finish()
    expect(found).toEqual([9, 19])
  })
})

describe('blocks', () => {
  const lines = fc.array(
    fc.record({
      chrom: fc.constantFrom('chr1', 'chr11', 'c', 'HLA:A:1'),
      pos: fc.integer({ min: 0, max: 1e6 }),
      ref: fc.constantFrom('A', 'ACGT', 'ACGTACGTACGT'),
      info: fc.constantFrom('.', 'END=2000000', 'DP=3;END=7', 'AEND=5;AF=0.5', 'DP=1;XEND=4;END=2000001;B=2'),
      samples: fc.constantFrom('', '\tGT\t0/1', `\tGT${'\t0|1'.repeat(60)}`),
      ending: fc.constantFrom('\n', '\r\n'),
    }),
    { minLength: 1, maxLength: 20 },
  )
  const bodies = lines.map(all =>
    all.map(r => `${r.chrom}\t${r.pos}\tid\t${r.ref}\tC\t9\tPASS\t${r.info}${r.samples}${r.ending}`).join(''),
  )

  /** By strings, one line after the other. */
  function plainly(text: string, cuts: readonly number[]): string[] {
    const borders = [0, ...cuts, text.length]
    const offsetOf = (at: number) => {
      const block = borders.findLastIndex(border => border <= at && at < text.length)
      return block * 100 * 65536 + at - borders[block]!
    }
    const out: string[] = []
    let at = head.length
    for (const whole of text.slice(head.length).split('\n').slice(0, -1)) {
      const [chrom, pos, , ref, , , , info] = whole.replace('\r', '').split('\t')
      const begin = Math.max(0, Number(pos) - 1)
      const end = Number(/(?:^|;)END=(\d+)/.exec(info!)?.[1] ?? 0)
      out.push(`${chrom!}:${begin}-${end > begin ? end : begin + ref!.length}@${offsetOf(at)}`)
      at += whole.length + 1
    }
    return out
  }

  test('any cutting into blocks gives the same records, each at its own offset', () => {
    fc.assert(
      fc.property(bodies, fc.array(fc.nat({ max: 4000 }), { maxLength: 12 }), (body, at) => {
        const text = head + body
        const cuts = [...new Set(at.filter(cut => cut > 0 && cut < text.length))].sort((a, b) => a - b)
        expect(scan(text, cuts).records).toEqual(plainly(text, cuts))
      }),
      { numRuns: 300 },
    )
  })

  test('each byte a block of its own', () => {
    const text = head + line(10, 'ACG', 'DP=1;END=40') + '\tGT\t0/1\r\n' + line(50) + '\n'
    const cuts = Array.from({ length: text.length - 1 }, (_, i) => i + 1)
    expect(scan(text, cuts).records).toEqual(plainly(text, cuts))
  })

  test('whatever the bytes, only our own errors come out', () => {
    fc.assert(
      fc.property(
        bodies,
        fc.array(fc.tuple(fc.nat(), fc.constantFrom('\t', '\n', '\r', '\0', '#', '9', '=', 'é')), {
          maxLength: 6,
        }),
        fc.nat({ max: 500 }),
        (body, changes, cut) => {
          let text = head + body
          for (const [where, what] of changes) {
            const at = where % text.length
            text = text.slice(0, at) + what + text.slice(at + 1)
          }
          try {
            scan(text, [cut])
          } catch (error) {
            expect(error).toBeInstanceOf(HtsvaultError)
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

test('an error of the sink comes out as it is', () => {
  const scanner = new VcfScanner({
    header: () => undefined,
    contig: () => {
      throw new HtsvaultError('UNSORTED', 'no')
    },
    record: () => undefined,
  })
  expect(() => scanner.block(new TextEncoder().encode(head + line(1) + '\n'), 0, 100)).toThrow('no')
  expect(scanner.place).toEqual({ record: 1, line: 4, virtualOffset: `0:${head.length}` })
})
