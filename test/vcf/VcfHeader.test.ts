import { describe, expect, test } from '@jest/globals'
import { readVcfHeader } from '#shared/vcf/VcfHeader.ts'

const columns = '#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO'
const read = (...lines: string[]) =>
  readVcfHeader(new TextEncoder().encode([...lines, columns, ''].join('\n')))

describe('readVcfHeader', () => {
  test('takes the contigs in order, with what their lines tell', () => {
    const header = read(
      '##fileformat=VCFv4.3',
      '##contig=<ID=chr2,length=200,assembly="a,b=<c>">',
      '##contig=<length=9,ID=HLA:A*01:01>',
      '##contig=<ID=bare>',
      '##contig=<ID=chr2,length=7>',
    )
    expect(header).toEqual({
      version: '4.3',
      contigs: [{ name: 'chr2', length: 200 }, { name: 'HLA:A*01:01', length: 9 }, { name: 'bare' }],
      samples: 0,
      longestContig: 200,
    })
  })

  test('reads quotes with escapes, spaces and nested brackets', () => {
    const header = read(
      '##fileformat=VCFv4.2',
      '##contig=<Description="ID=no, \\"ID=no\\"", ID=a, length=5 >',
      '##contig=<IDX=4,ID=b>',
    )
    expect(header.contigs).toEqual([
      { name: 'a', length: 5 },
      { name: 'b', idx: 4 },
    ])
  })

  test.each([
    '##contig=<length=5>',
    '##contig=<ID=,length=5>',
    '##contig=<ID=a,length=x>',
    '##contig=<ID=a,length=-5>',
    '##contig=<ID=a,IDX=x>',
    '##contig=<ID=a',
    '##contig=a',
    '##contigs=<ID=a>',
    '##contig=<' + 'a'.repeat(100_000),
    '##contig=<ID=' + ' '.repeat(1_000_000),
    '##contig=<ID="' + '\\'.repeat(1_000_000),
    '##contig=<' + ' '.repeat(1_000_000),
  ])('passes over what is no contig: %#', line => {
    expect(read('##fileformat=VCFv4.2', line).contigs).toEqual([])
  })

  test('the longest length is read as roughly as tabix does', () => {
    expect(read('##fileformat=VCFv4.2', '##contig=<ID=a,xlength= =77,length=9>').longestContig).toBe(77)
  })

  test.each([
    ['tabs behind it', '##fileformat=VCFv4.0\t\t\t', '4.0'],
    ['a carriage return', '##fileformat=VCFv4.3\r', '4.3'],
    ['a blank within', '##fileformat=VCF v4.2', '4.2'],
    ['another word', '##fileformat=VCFv4.2 or so', undefined],
    ['no number', '##fileformat=VCFv', undefined],
  ])('the version, with %s', (_, line, version) => {
    expect(read(line).version).toBe(version)
  })

  test('counts the samples', () => {
    const text = `##fileformat=VCFv4.2\n${columns}\tFORMAT\ta\tb\tc\n`
    expect(readVcfHeader(new TextEncoder().encode(text)).samples).toBe(3)
  })

  test('the NUL at the end of a BCF header is not text', () => {
    expect(
      readVcfHeader(new TextEncoder().encode(`##fileformat=VCFv4.2\n${columns}\n\0\0##contig=<ID=a>`))
        .contigs,
    ).toEqual([])
  })

  test('a cut-off header is refused', () => {
    expect(() => readVcfHeader(new TextEncoder().encode('##fileformat=VCFv4.2\n#CHR'))).toThrow(
      expect.objectContaining({ code: 'VCF_HEADER_INVALID' }),
    )
  })
})
