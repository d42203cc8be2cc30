import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { crc64nvme, joinCrc64nvme, readCrc64nvme, writeCrc64nvme } from '#shared/bytes/crc64nvme.ts'

/** Bit by bit, from the definition: reflected, all ones in and out. */
function bitwise(bytes: Uint8Array): bigint {
  let crc = 2n ** 64n - 1n
  for (const byte of bytes) {
    crc ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x9a6c9329ac4bc9b5n : crc >> 1n
  }
  return crc ^ (2n ** 64n - 1n)
}

describe('CRC-64/NVME', () => {
  // The catalogue's check value, and the examples of the NVM command set specification, 64b CRC.
  test.each([
    ['nothing', new Uint8Array(), 0n],
    ['123456789', Buffer.from('123456789'), 0xae8b14860a799888n],
    ['4 KiB of 0x00', Buffer.alloc(4096), 0x6482d367eb22b64en],
    ['4 KiB of 0xff', Buffer.alloc(4096, 0xff), 0xc0ddba7302eca3acn],
    ['4 KiB that count up', Buffer.from(Array.from({ length: 4096 }, (_, i) => i)), 0x3e729f5f6750449cn],
  ])('of %s', (_, bytes, expected) => {
    expect(crc64nvme(bytes)).toBe(expected)
  })

  test('is what its definition says, in any pieces', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), (bytes, at) => {
        const cut = at % (bytes.length + 1)
        const [a, b] = [bytes.subarray(0, cut), bytes.subarray(cut)]
        const whole = bitwise(bytes)
        expect(crc64nvme(bytes)).toBe(whole)
        expect(crc64nvme(b, crc64nvme(a))).toBe(whole)
        expect(joinCrc64nvme(crc64nvme(a), crc64nvme(b), b.length)).toBe(whole)
      }),
      { numRuns: 200 },
    )
  })

  test('parts join to the whole, also those longer than what is summed at once', () => {
    const bytes = Buffer.alloc(1_000_003, 'htsvault')
    const cuts = [0, 1, 65536, 65537, 500_000, 999_999, bytes.length]
    const joined = cuts.slice(1).reduce((crc, end, i) => {
      const part = bytes.subarray(cuts[i], end)
      return joinCrc64nvme(crc, crc64nvme(part), part.length)
    }, 0n)
    expect(joined).toBe(crc64nvme(bytes))
  })

  test('of a part behind which there are terabytes', () => {
    // Zeros behind it are the same as joining a run of zeros, doubled again and again.
    let [zeros, length] = [crc64nvme(Buffer.alloc(1 << 20)), 1 << 20]
    while (length < 2 ** 43) [zeros, length] = [joinCrc64nvme(zeros, zeros, length), length * 2]
    const first = crc64nvme(Buffer.from('first'))
    const half = joinCrc64nvme(first, joinHalf(length / 2), length / 2)
    expect(joinCrc64nvme(first, zeros, length)).toBe(joinCrc64nvme(half, joinHalf(length / 2), length / 2))
  })

  test('is written as S3 writes it', () => {
    expect(writeCrc64nvme(0xae8b14860a799888n)).toBe('rosUhgp5mIg=')
    expect(writeCrc64nvme(1n)).toBe('AAAAAAAAAAE=')
  })

  test('is read as it is written, and nothing else', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 64n - 1n), crc => {
        expect(readCrc64nvme(writeCrc64nvme(crc))).toBe(crc)
      }),
    )
    for (const text of [undefined, '', 'AAAAAA==', 'rosUhgp5mIg', 'rosUhgp5mI?=', 'rosUhgp5mIg=x'])
      expect(readCrc64nvme(text)).toBeUndefined()
  })
})

/** The CRC of so many zeros, a power of two from a mebibyte. */
function joinHalf(wanted: number): bigint {
  let [zeros, length] = [crc64nvme(Buffer.alloc(1 << 20)), 1 << 20]
  while (length < wanted) [zeros, length] = [joinCrc64nvme(zeros, zeros, length), length * 2]
  return zeros
}
