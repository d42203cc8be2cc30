import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { findByte } from '#shared/bytes/findByte.ts'

test('findByte finds what indexOf finds, in views of any kind of memory', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ max: 3, maxLength: 300 }),
      fc.nat(310),
      fc.nat(5),
      fc.boolean(),
      (content, from, skip, shared) => {
        const memory = shared ? new SharedArrayBuffer(content.length) : new ArrayBuffer(content.length)
        const bytes = new Uint8Array(memory)
        bytes.set(content)
        const view = bytes.subarray(skip)
        expect(findByte(view, 2, from)).toBe(view.indexOf(2, from))
      },
    ),
  )
  expect(findByte(Uint8Array.of(1, 10), 10)).toBe(1)
})
