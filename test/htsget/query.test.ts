import { describe, expect, test } from '@jest/globals'
import { parseGetQuery } from '#shared/htsget/parseGetQuery.ts'
import { parsePostBody } from '#shared/htsget/parsePostBody.ts'
import { checkColumns, type Datatype } from '#shared/htsget/HtsgetQuery.ts'

const get = (query: string, datatype: Datatype = 'reads') => {
  const parameters: Record<string, string[]> = {}
  for (const [name, value] of new URLSearchParams(query)) (parameters[name] ??= []).push(value)
  return parseGetQuery(datatype, parameters)
}
const post = (body: unknown, datatype: Datatype = 'reads') => parsePostBody(datatype, JSON.stringify(body))

describe('GET', () => {
  test('nothing asked for is the whole file', () => {
    expect(get('')).toEqual({ datatype: 'reads', headerOnly: false })
  })

  test('everything', () => {
    expect(
      get('format=cram&referenceName=chr1:2&start=0&end=4294967295&fields=QNAME,SEQ&tags=&notags=OQ,XX'),
    ).toEqual({
      datatype: 'reads',
      headerOnly: false,
      format: 'CRAM',
      regions: [{ referenceName: 'chr1:2', start: 0, end: 4294967295 }],
      fields: ['QNAME', 'SEQ'],
      tags: [],
      notags: ['OQ', 'XX'],
    })
  })

  test('start and end may be equal', () => {
    expect(get('referenceName=1&start=5&end=5').regions).toEqual([{ referenceName: '1', start: 5, end: 5 }])
  })

  test('both spellings of the encryption scheme', () => {
    for (const scheme of ['crypt4gh', 'C4GH', 'Crypt4GH'])
      expect(get(`encryptionScheme=${scheme}`).encryptionScheme).toBe(scheme.toLowerCase())
  })

  test.each([
    ['format=SAM', 'UnsupportedFormat'],
    ['format=VCF', 'UnsupportedFormat'],
    ['class=body', 'InvalidInput'],
    ['class=header&referenceName=1', 'InvalidInput'],
    ['class=header&fields=QNAME', 'InvalidInput'],
    ['start=1', 'InvalidInput'],
    ['end=1', 'InvalidInput'],
    ['referenceName=*&start=1', 'InvalidInput'],
    ['referenceName=', 'InvalidInput'],
    ['referenceName=1&start=-1', 'InvalidInput'],
    ['referenceName=1&start=1e3', 'InvalidInput'],
    ['referenceName=1&start=4294967296', 'InvalidInput'],
    ['referenceName=1&start=2&end=1', 'InvalidRange'],
    ['referenceName=1&end=x', 'InvalidInput'],
    ['referenceName=1&referenceName=2', 'InvalidInput'],
    ['fields=NAME', 'InvalidInput'],
    ['tags=OQ,NM&notags=NM', 'InvalidInput'],
    ['encryptionScheme=aes', 'InvalidInput'],
  ])('%s is %s', (query, type) => {
    expect(() => get(query)).toThrow(expect.objectContaining({ type }))
  })
})

test('names are looked at once each, however many a body holds', () => {
  let looks = 0
  const counted = (names: string[]) =>
    new Proxy(names, {
      get(target, property, receiver) {
        if (typeof property === 'string' && /^\d+$/.test(property)) looks++
        return Reflect.get(target, property, receiver) as unknown
      },
    })
  const names = (prefix: string) => Array.from({ length: 1000 }, (_, i) => `${prefix}${i}`)
  checkColumns('reads', { tags: counted(names('a')), notags: counted(names('b')) })
  expect(looks).toBeLessThanOrEqual(4000)
})

describe('POST', () => {
  test('no body asks for the whole file', () => {
    for (const body of [undefined, '', '  ', '{}'])
      expect(parsePostBody('reads', body)).toEqual({ datatype: 'reads', headerOnly: false })
  })

  test("the specification's example, lower case and all", () => {
    expect(
      post({
        format: 'bam',
        fields: ['QNAME', 'FLAG', 'RNAME'],
        tags: ['RG'],
        notags: ['OQ'],
        regions: [{ referenceName: 'chr1' }, { referenceName: 'chr2', start: 999, end: 1000 }],
      }),
    ).toMatchObject({
      format: 'BAM',
      regions: [{ referenceName: 'chr1' }, { referenceName: 'chr2', start: 999, end: 1000 }],
    })
  })

  test.each([
    [{ regions: [] }, 'InvalidInput'],
    [{ regions: [{}] }, 'InvalidInput'],
    [{ regions: 'chr1' }, 'InvalidInput'],
    [{ regions: [{ referenceName: '1', start: 2, end: 2 }] }, 'InvalidRange'],
    [{ regions: [{ referenceName: '1', start: 3, end: 2 }] }, 'InvalidRange'],
    [{ regions: [{ referenceName: '1', start: 1.5 }] }, 'InvalidInput'],
    [{ regions: [{ referenceName: '*', start: 1 }] }, 'InvalidInput'],
    [{ class: 'header', regions: [{ referenceName: '1' }] }, 'InvalidInput'],
    [{ format: 7 }, 'InvalidInput'],
    [{ format: 'BCF' }, 'UnsupportedFormat'],
    [[], 'InvalidInput'],
  ])('%j is %s', (body, type) => {
    expect(() => post(body)).toThrow(expect.objectContaining({ type }))
  })

  test('what is not JSON, and what is too large', () => {
    expect(() => parsePostBody('reads', '{')).toThrow(expect.objectContaining({ type: 'InvalidInput' }))
    expect(() => parsePostBody('reads', ' '.repeat(2 << 20) + '{}')).toThrow(
      expect.objectContaining({ type: 'PayloadTooLarge' }),
    )
  })
})
