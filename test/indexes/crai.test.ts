import { gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { CraiBuilder } from '#shared/indexes/crai/CraiBuilder.ts'
import { queryCrai } from '#shared/indexes/crai/queryCrai.ts'
import { readCrai } from '#shared/indexes/crai/readCrai.ts'
import { errorOf } from '#test/support/indexing.ts'

const line = fc.tuple(
  fc.integer({ min: -1, max: 2 ** 31 - 1 }),
  fc.integer({ min: -5, max: 2 ** 31 - 1 }),
  fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  fc.integer({ min: 0, max: 2 ** 40 }),
  fc.nat(),
  fc.nat(),
)

test('what is built is read back', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 50 }), lines => {
      const builder = new CraiBuilder()
      for (const each of lines) builder.add(...each)
      const { length, refIds, starts, spans, containers, slices, sizes } = readCrai(gzipSync(builder.text()))
      const columns = [refIds, starts, spans, containers, slices, sizes]
      expect(Array.from({ length }, (_, i) => columns.map(column => column[i]))).toEqual(lines)
    }),
  )
})

test('plain text is read too, its last line ended or not', () => {
  for (const text of ['0\t1\t2\t3\t4\t5\n', '0\t1\t2\t3\t4\t5'])
    expect(readCrai(Buffer.from(text))).toMatchObject({ length: 1, containers: new Float64Array([3]) })
  expect(readCrai(new Uint8Array(0)).length).toBe(0)
  expect(readCrai(gzipSync('')).length).toBe(0)
})

test.each([
  '0\t1\t2\t3\t4\n',
  '0\t1\t2\t3\t4\t5\t6\n',
  '0\t1\t2\t3\t4\t\n',
  '0 1 2 3 4 5\n',
  'x\t1\t2\t3\t4\t5\n',
  '-2\t1\t2\t3\t4\t5\n',
  '0\t1\t2\t-3\t4\t5\n',
  '0\t1\t2\t99999999999999999999\t4\t5\n',
  '\n',
])('%j is corrupt, with its line', bad => {
  const error = errorOf(() => readCrai(Buffer.from(`0\t1\t2\t3\t4\t5\n${bad}`)))
  expect([error?.code, error?.place?.line]).toEqual(['CRAI_CORRUPT', 2])
})

test('what does not inflate is corrupt', () => {
  const whole = gzipSync('0\t1\t2\t3\t4\t5\n')
  expect(errorOf(() => readCrai(whole.subarray(0, 15)))?.code).toBe('CRAI_CORRUPT')
})

describe('queries', () => {
  // Two slices in the container at 100, several references in the one at 300.
  const crai = readCrai(
    Buffer.from(
      [
        [0, 1, 100, 100, 0, 1],
        [0, 101, 50, 100, 50, 1],
        [0, 140, 10, 200, 0, 1],
        [0, 500, 5, 300, 0, 1],
        [1, 7, 1, 300, 0, 1],
        [-1, 0, 1, 300, 0, 1],
        [-1, 0, 0, 400, 0, 1],
      ]
        .map(line => `${line.join('\t')}\n`)
        .join(''),
    ),
  )
  test.each([
    [0, 0, 1, [[100, 200]]],
    [0, 149, 150, [[100, 200]]],
    [0, 145, 149, [[100, 300]]],
    [0, 150, 499, []],
    [0, 503, 504, [[300, 400]]],
    [0, 504, Infinity, []],
    [1, 6, 7, [[300, 400]]],
    [1, 7, 8, []],
    [-1, 0, 0, [[300, 450]]],
    [2, 0, Infinity, []],
  ])('reference %i, %i to %d', (refId, start, end, wanted) => {
    const found = queryCrai(crai, refId, start, end, 450).map(range => [range.start, range.end])
    expect(found).toEqual(wanted)
  })
})
