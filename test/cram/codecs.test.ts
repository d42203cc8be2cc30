import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { HtsvaultError } from '#shared/errors.ts'
import { content, method, type BlockHeader } from '#shared/cram/BlockHeader.ts'
import { inflateBlock } from '#shared/cram/codecs/inflateBlock.ts'
import { inflatedLimit, maxInflatedBytes } from '#shared/cram/limits.ts'
import { errorOf } from '#test/support/indexing.ts'
import { seededRandom } from '#test/support/random.ts'

type Method = keyof typeof method
interface Vectors {
  readonly plain: Readonly<Record<string, string>>
  readonly encoded: readonly (readonly [plain: string, method: Method, flags: number, bytes: string])[]
}
const vectors = JSON.parse(readFileSync(join(import.meta.dirname, 'codecVectors.json'), 'utf8')) as Vectors

const header = (name: Method, rawSize: number): BlockHeader => ({
  method: method[name],
  content: content.external,
  contentId: 1,
  size: 0,
  rawSize,
  headerBytes: 0,
})
const plainOf = (name: string) => Buffer.from(vectors.plain[name]!, 'base64')
const methods: readonly Method[] = ['gzip', 'bzip2', 'lzma', 'rans4x8', 'ransNx16', 'arithmetic']

describe.each(methods)('%s', name => {
  const encoded = vectors.encoded.filter(([, method]) => method === name)

  test('gives back what the reference encoders were given', () => {
    expect(encoded.length).toBeGreaterThanOrEqual(8)
    for (const [plain, , flags, bytes] of encoded) {
      const wanted = plainOf(plain)
      const got = inflateBlock(header(name, wanted.length), Buffer.from(bytes, 'base64'))
      expect([plain, flags, Buffer.from(got).equals(wanted)]).toEqual([plain, flags, true])
    }
  })

  test('refuses a block that declares another size', () => {
    for (const [plain, , , bytes] of encoded)
      for (const size of [1, -1]) {
        const work = () =>
          inflateBlock(header(name, plainOf(plain).length + size), Buffer.from(bytes, 'base64'))
        expect(errorOf(work)?.code).toBe('CRAM_CORRUPT')
      }
  })

  test('refuses a block that is cut in half', () => {
    for (const [plain, , flags, bytes] of encoded) {
      const whole = Buffer.from(bytes, 'base64')
      // What is stored as it is, and the one symbol of a packed constant, need no more than their beginning.
      if (plain === 'constant') continue
      const work = () =>
        inflateBlock(header(name, plainOf(plain).length), whole.subarray(0, whole.length >> 1))
      expect([plain, flags, errorOf(work)?.code]).toEqual([plain, flags, 'CRAM_CORRUPT'])
    }
  })

  test('ends damaged blocks in its own errors, or in bytes of the declared size', () => {
    const random = seededRandom(11)
    let refused = 0
    for (const [plain, , , bytes] of encoded)
      for (let i = 0; i < 40; i++) {
        const damaged = Buffer.from(bytes, 'base64')
        for (let flips = random.between(1, 3); flips > 0; flips--)
          damaged[random.below(damaged.length)]! ^= 1 << random.below(8)
        const size = plainOf(plain).length
        try {
          expect(inflateBlock(header(name, size), damaged)).toHaveLength(size)
        } catch (error) {
          if (!(error instanceof HtsvaultError)) throw error
          expect(error.code).toBe('CRAM_CORRUPT')
          refused++
        }
      }
    expect(refused).toBeGreaterThan(0)
  })
})

test('an uncompressed block is given as it is, without a copy', () => {
  const bytes = new Uint8Array([1, 2, 3])
  expect(inflateBlock(header('raw', 3), bytes).buffer).toBe(bytes.buffer)
})

test('a size over the limit is refused before anything is allocated', () => {
  for (const name of methods)
    for (const [size, stored] of [
      [maxInflatedBytes + 1, 1 << 20],
      [inflatedLimit(9) + 1, 9],
    ] as const)
      expect(errorOf(() => inflateBlock(header(name, size), new Uint8Array(stored)))?.code).toBe(
        'CRAM_TOO_LARGE',
      )
})

test('methods for qualities and names are not read, unknown ones are no CRAM', () => {
  expect(errorOf(() => inflateBlock(header('fqzcomp', 5), new Uint8Array(9)))?.code).toBe('CRAM_UNSUPPORTED')
  expect(errorOf(() => inflateBlock(header('nameTokeniser', 5), new Uint8Array(9)))?.code).toBe(
    'CRAM_UNSUPPORTED',
  )
  const unknown = { ...header('raw', 5), method: 9 }
  expect(errorOf(() => inflateBlock(unknown, new Uint8Array(9)))?.code).toBe('CRAM_CORRUPT')
})
