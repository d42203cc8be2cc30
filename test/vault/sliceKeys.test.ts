import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { segmentNonces, sliceKeys } from '#shared/vault/sliceKeys.ts'
import { newKeys } from '#test/crypt4gh/support.ts'

const vault = newKeys()
const salt = new Uint8Array(16).fill(1)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('a salt has its keys in each vault, and no two have the same', () => {
  const { dataKey, nonceKey } = sliceKeys(vault, salt)
  expect(sliceKeys(vault, salt)).toEqual({ dataKey, nonceKey })
  const [other, elsewhere] = [sliceKeys(vault, new Uint8Array(16).fill(2)), sliceKeys(newKeys(), salt)]
  const all = [dataKey, nonceKey, other.dataKey, other.nonceKey, elsewhere.dataKey, elsewhere.nonceKey]
  expect(new Set(all.map(hex)).size).toBe(6)
  for (const key of all) expect(key).toHaveLength(32)
})

test('a nonce is that of the number and the bytes: the same again, and no other', () => {
  const { nonceKey } = sliceKeys(vault, salt)
  const seen = new Map<string, string>()
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(fc.nat(3), bytes, (segment, plain) => {
      const nonce = hex(segmentNonces(nonceKey, segment)(plain))
      expect(nonce).toHaveLength(24)
      const what = `${segment} ${hex(plain)}`
      expect(seen.get(nonce) ?? what).toBe(what)
      seen.set(nonce, what)
      // Counted from any segment before.
      const from = segmentNonces(nonceKey, 0)
      for (let i = 0; i < segment; i++) from(new Uint8Array(1))
      expect(hex(from(plain))).toBe(nonce)
    }),
    { numRuns: 500 },
  )
  expect(seen.size).toBeGreaterThan(100)
})
