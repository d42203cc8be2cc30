import { randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Decryptor } from '#shared/crypt4gh/body/Decryptor.ts'
import { decryptBytes } from '#shared/crypt4gh/body/decryptBytes.ts'
import { encryptBytes } from '#shared/crypt4gh/body/encryptBytes.ts'
import { Encryptor } from '#shared/crypt4gh/body/Encryptor.ts'
import { decryptStream } from '#shared/crypt4gh/decryptStream.ts'
import { keptRanges } from '#shared/crypt4gh/editList.ts'
import { encryptStream } from '#shared/crypt4gh/encryptStream.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { portableBackend } from '#shared/crypt4gh/portableBackend.ts'
import { cipherSize } from '#shared/crypt4gh/sizes.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { applyEditList, backends, codeOf, cutAt, drain, drainAsync, makeFile, newKeys } from './support.ts'

const dataKey = randomBytes(32)
const plain = randomBytes(300_000)
const borders = [0, 1, 2, 65535, 65536, 65537, 131071, 131072, 131073, 200_000]

describe('the two backends', () => {
  test.each(borders)('read each other at %i bytes', size => {
    const text = plain.subarray(0, size)
    for (const [writer, reader] of [
      [nodeBackend, portableBackend],
      [portableBackend, nodeBackend],
    ] as const) {
      const body = encryptBytes(text, dataKey, writer)
      expect(body.length).toBe(cipherSize(size))
      expect(text.equals(decryptBytes(body, { dataKeys: [dataKey] }, reader))).toBe(true)
    }
  })

  test('seal alike under one nonce', () => {
    const nonce = randomBytes(12)
    for (const size of [0, 1, 15, 16, 17, 63, 64, 65, 1000, 65536]) {
      const [a, b] = backends.map(backend => {
        const out = Buffer.alloc(size + 16)
        backend.cipher(dataKey).seal(nonce, plain.subarray(0, size), out)
        return out
      })
      expect(a!.equals(b!)).toBe(true)
    }
  })

  test('agree alike', () => {
    for (let i = 0; i < 20; i++) {
      const [a, b] = [newKeys(), newKeys()]
      const [one, other] = backends.map(backend => backend.x25519(a.secretKey).agree(b.publicKey))
      expect(Buffer.from(one!).equals(other!)).toBe(true)
      expect(Buffer.from(nodeBackend.blake2b512(one!)).equals(portableBackend.blake2b512(one!))).toBe(true)
    }
  })
})

describe.each(backends)('bodies, $name', backend => {
  const runs = backend === nodeBackend ? 60 : 8
  const places = fc.array(fc.nat(), { maxLength: 12 })

  test('come out the same however the bytes are cut, with one buffer or many', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...borders),
        places,
        places,
        fc.integer({ min: 1, max: 3 }),
        fc.boolean(),
        (size, cutsIn, cutsOut, batchSegments, reuseOutput) => {
          const options = { batchSegments, reuseOutput }
          const text = plain.subarray(0, size)
          const encryptor = new Encryptor(dataKey, backend, options)
          const body = drain(...cutAt(text, cutsIn).map(c => encryptor.push(c)), encryptor.finish())
          expect(body.length).toBe(cipherSize(size))
          const decryptor = new Decryptor([dataKey], backend, options)
          const read = drain(...cutAt(body, cutsOut).map(c => decryptor.push(c)), decryptor.finish())
          expect(read.equals(text)).toBe(true)
        },
      ),
      { numRuns: runs },
    )
  })

  test('byte by byte', () => {
    const encryptor = new Encryptor(dataKey, backend)
    const text = plain.subarray(0, 70_000)
    const body = drain(...Array.from(text, byte => encryptor.push(Uint8Array.of(byte))), encryptor.finish())
    const decryptor = new Decryptor([dataKey], backend)
    const read = drain(...Array.from(body, byte => decryptor.push(Uint8Array.of(byte))), decryptor.finish())
    expect(read.equals(text)).toBe(true)
  })

  test('no nonce comes twice, in a batch or from one to the next', () => {
    const encryptor = new Encryptor(dataKey, backend, { batchSegments: 2 })
    const body = drain(encryptor.push(plain), encryptor.finish())
    const nonces = new Set<string>()
    for (let at = 0; at < body.length; at += 65564) nonces.add(body.subarray(at, at + 12).toString('hex'))
    expect(nonces.size).toBe(Math.ceil(plain.length / 65536))
  })

  test('edit lists give what the specification’s algorithm gives', () => {
    const body = encryptBytes(plain, dataKey, backend)
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.nat(150_000), fc.constantFrom(0, 1, 65536)), { maxLength: 6 }),
        list => {
          const read = decryptBytes(body, { dataKeys: [dataKey], editList: list }, backend)
          expect(Buffer.from(applyEditList(list, plain)).equals(read)).toBe(true)
        },
      ),
      { numRuns: runs },
    )
  })

  test('streams: whole files, several readers, ranges', async () => {
    const [alice, bob] = [newKeys(), newKeys()]
    const recipients = [alice.publicKey, bob.publicKey]
    const file = await drainAsync(encryptStream(cutAt(plain, [7, 70_000]), { recipients }, backend))
    for (const reader of [alice, bob])
      expect(
        (await drainAsync(decryptStream(cutAt(file, [3, 140, 100_000]), reader, backend))).equals(plain),
      ).toBe(true)
    const ranges = [
      { start: 10, end: 20 },
      { start: 65530, end: 65540 },
    ]
    const part = await drainAsync(decryptStream([file], alice, backend, { ranges }))
    expect(part.equals(Buffer.concat([plain.subarray(10, 20), plain.subarray(65530, 65540)]))).toBe(true)
  })
})

describe('several data keys', () => {
  const keys = [1, 2, 3].map(n => new Uint8Array(32).fill(n))
  const body = Buffer.concat(
    [0, 0, 1, 2, 2, 0].map((key, i) =>
      encryptBytes(plain.subarray(0, i === 5 ? 100 : 65536), keys[key]!, nodeBackend),
    ),
  )

  test('each segment is opened by its own, the last that opened is tried first', () => {
    let tries = 0
    const counting = {
      ...nodeBackend,
      cipher: (key: Uint8Array) => {
        const cipher = nodeBackend.cipher(key)
        const open: typeof cipher.open = (...args) => (tries++, cipher.open(...args))
        return { ...cipher, open }
      },
    }
    const read = decryptBytes(body, { dataKeys: keys }, counting)
    expect(read.length).toBe(5 * 65536 + 100)
    // 1 + 1 + (0, 1) + (1, 0, 2) + 1 + (2, 0)
    expect(tries).toBe(1 + 1 + 2 + 3 + 1 + 2)
  })

  test('a segment that none opens is an error with its number', () => {
    const error = (() => {
      try {
        return decryptBytes(body, { dataKeys: keys.slice(0, 2) }, nodeBackend)
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toBeInstanceOf(HtsvaultError)
    expect(error).toMatchObject({ code: 'CRYPT4GH_SEGMENT_CORRUPT', place: { segment: 3 } })
  })
})

describe.each(backends)('broken bodies, $name', backend => {
  const body = Buffer.from(encryptBytes(plain.subarray(0, 200_000), dataKey, backend))
  const read = (bytes: Uint8Array) => decryptBytes(bytes, { dataKeys: [dataKey] }, backend)
  const flipped = (at: number) => {
    const copy = Buffer.from(body)
    copy[at]! ^= 1
    return copy
  }

  test.each([
    ['nonce', 65564],
    ['ciphertext', 65564 + 500],
    ['MAC', 2 * 65564 - 1],
  ])('a flipped bit in the %s of segment 1', (_, at) => {
    expect(() => read(flipped(at))).toThrow(
      expect.objectContaining({ code: 'CRYPT4GH_SEGMENT_CORRUPT', place: { segment: 1 } }),
    )
  })

  test('nothing of a corrupt segment is handed out', () => {
    const decryptor = new Decryptor([dataKey], backend, { batchSegments: 1 })
    const out: Uint8Array[] = []
    expect(() => {
      for (const batch of decryptor.push(flipped(70_000))) out.push(batch)
    }).toThrow(HtsvaultError)
    expect(Buffer.concat(out).equals(plain.subarray(0, 65536))).toBe(true)
  })

  test('a cut at any place but a border shows', async () => {
    for (const length of [1, 27, 29, 65563, 65565, 65564 + 27, 65564 + 28, 200_111]) {
      const code = await codeOf(() => read(body.subarray(0, length)))
      expect(code).toBe(length % 65564 < 28 ? 'CRYPT4GH_TRUNCATED' : 'CRYPT4GH_TRUNCATED_OR_CORRUPT')
    }
  })

  test('segments out of sight of the edit list are not opened', () => {
    const keep = keptRanges([150_000, 10])
    const decryptor = new Decryptor([dataKey], backend, { keep })
    expect(
      drain(decryptor.push(flipped(100)), decryptor.finish()).equals(plain.subarray(150_000, 150_010)),
    ).toBe(true)
  })
})

test('a file with an edit list streams as it decrypts whole', async () => {
  const alice = newKeys()
  const { file } = makeFile(plain, alice, [65530, 10, 65530, 70_000])
  const expected = applyEditList([65530, 10, 65530, 70_000], plain)
  expect((await drainAsync(decryptStream([file], alice, nodeBackend))).equals(expected)).toBe(true)
})
