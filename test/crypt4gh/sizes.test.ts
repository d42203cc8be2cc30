import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { cipherRangeOf, cipherSize, plainRange, plainSize, segmentsOf } from '#shared/crypt4gh/sizes.ts'
import { codeOf } from './support.ts'

describe('sizes', () => {
  test.each([
    [0, 0],
    [1, 29],
    [65535, 65563],
    [65536, 65564],
    [65537, 65593],
    [131072, 131128],
    [200000, 200112],
  ])('%i plain bytes are %i encrypted', (plain, cipher) => {
    expect(cipherSize(plain)).toBe(cipher)
    expect(plainSize(cipher)).toBe(plain)
  })

  test('are each other’s inverse at any size', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 45 }), size => {
        expect(plainSize(cipherSize(size))).toBe(size)
      }),
    )
  })

  test.each([1, 27, 65565, 65564 + 27])('no body has %i bytes', async size => {
    expect(await codeOf(() => plainSize(size))).toBe('CRYPT4GH_TRUNCATED')
  })

  test.each([
    [0, 0, 0, 0],
    [5, 5, 0, 0],
    [0, 1, 0, 1],
    [65535, 65536, 0, 1],
    [65535, 65537, 0, 2],
    [65536, 131072, 1, 2],
  ])('plain bytes %i to %i need segments %i to %i', (start, end, first, last) => {
    expect(segmentsOf(plainRange(start, end))).toEqual({ start: first, end: last })
  })

  test('the last segment ends with the body', () => {
    expect(cipherRangeOf({ start: 1, end: 2 }, 65564 + 40)).toEqual({ start: 65564, end: 65604 })
  })
})
