import { describe, expect, test } from '@jest/globals'
import { HtsgetError, htsgetStatus, writeError, type HtsgetErrorType } from '#shared/htsget/HtsgetError.ts'
import { parsePostBody } from '#shared/htsget/parsePostBody.ts'
import { resolveRegions } from '#shared/htsget/resolveRegions.ts'
import { serviceInfo } from '#shared/htsget/serviceInfo.ts'
import { dataUri, ticketContentType, writeTicket } from '#shared/htsget/writeTicket.ts'

describe('errors', () => {
  test.each<[HtsgetErrorType, number]>([
    ['InvalidAuthentication', 401],
    ['PermissionDenied', 403],
    ['NotFound', 404],
    ['PayloadTooLarge', 413],
    ['UnsupportedFormat', 400],
    ['InvalidInput', 400],
    ['InvalidRange', 400],
  ])('%s is %i', (type, status) => {
    expect(htsgetStatus[type]).toBe(status)
    expect(new HtsgetError(type, 'no')).toMatchObject({ type, status })
    expect(JSON.parse(writeError(type, 'No such "thing"'))).toEqual({
      htsget: { error: type, message: 'No such "thing"' },
    })
  })
})

describe('a POST body', () => {
  test.each(['referenceName', 'start', 'end'])('with %s outside of regions is refused', name => {
    expect(() =>
      parsePostBody('reads', JSON.stringify({ [name]: name === 'referenceName' ? 'chr1' : 1 })),
    ).toThrow(expect.objectContaining({ type: 'InvalidInput' }))
  })

  test('may hold what htsget does not know', () => {
    expect(parsePostBody('reads', '{"x":1,"regions":[{"referenceName":"chr1","y":2}]}').regions).toEqual([
      { referenceName: 'chr1' },
    ])
  })

  test('is never quoted in an error', () => {
    for (const body of ['{"format": secret', '{"regions":"secret"}', '{"fields":[{"a":"secret"}]}'])
      expect(() => parsePostBody('reads', body)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('secret') }),
      )
  })
})

describe('regions', () => {
  const references = [{ name: 'chr1', length: 100 }, { name: 'HLA-A*01:01:01:01' }, { name: 'chr1' }]
  const resolve = (datatype: 'reads' | 'variants', ...regions: { referenceName: string; start?: number; end?: number }[]) =>
    resolveRegions({ datatype, regions }, references) // prettier-ignore

  test('are found by name, whatever is in it', () => {
    expect(
      resolve('reads', { referenceName: 'HLA-A*01:01:01:01', start: 5 }, { referenceName: 'chr1', end: 7 }),
    ).toEqual([
      { refId: 1, start: 5, end: Infinity },
      { refId: 0, start: 0, end: 7 },
    ])
  })

  test('of no base ask for nothing', () => {
    expect(resolve('reads', { referenceName: 'chr1', start: 7, end: 7 })).toEqual([])
  })

  test('of * are the unplaced reads, and no variants', () => {
    expect(resolve('reads', { referenceName: '*' })).toEqual(['unplaced'])
    expect(() => resolve('variants', { referenceName: '*' })).toThrow(
      expect.objectContaining({ type: 'NotFound' }),
    )
  })

  test.each(['chr2', 'CHR1', '', 'constructor'])('of reference %j are not found', referenceName => {
    expect(() => resolve('reads', { referenceName })).toThrow(expect.objectContaining({ type: 'NotFound' }))
  })
})

describe('a ticket', () => {
  test("has the specification's form", () => {
    const headers = { Range: 'bytes=0-9' }
    expect(JSON.parse(writeTicket('CRAM', [{ url: 'https://x/1', headers, class: 'body' }]))).toEqual({
      htsget: { format: 'CRAM', urls: [{ url: 'https://x/1', headers, class: 'body' }] },
    })
    expect(writeTicket('VCF', [])).toMatch(/^\{"htsget":/)
    expect(ticketContentType).toBe('application/vnd.ga4gh.htsget.v1.3.0+json; charset=utf-8')
  })

  test('holds bytes in base64, with the one prefix that every client takes', () => {
    const bytes = Uint8Array.from([0, 72, 101, 108, 108, 111, 0]).subarray(1, 6)
    expect(dataUri(bytes)).toBe('data:;base64,SGVsbG8=')
  })
})

describe('service-info', () => {
  const about = { id: 'org.example.htsget', name: 'Example', version: '0.1.0' }
  const organization = { name: 'Example', url: 'https://example.org' }

  test.each([
    ['reads', ['BAM', 'CRAM'], true],
    ['variants', ['VCF', 'BCF'], false],
  ] as const)('of %s is as the specification spells it', (datatype, formats, effective) => {
    expect(serviceInfo(datatype, { ...about, organization, environment: 'test' })).toEqual({
      ...about,
      organization,
      environment: 'test',
      type: { group: 'org.ga4gh', artifact: 'htsget', version: '1.3.0' },
      htsget: { datatype, formats, fieldsParameterEffective: effective, tagsParametersEffective: effective },
    })
  })
})
