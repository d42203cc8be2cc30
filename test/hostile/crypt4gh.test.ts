import { randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { memorySource } from '#shared/bytes/ByteSource.ts'
import { decryptBytes } from '#shared/crypt4gh/body/decryptBytes.ts'
import { decryptStream } from '#shared/crypt4gh/decryptStream.ts'
import { HeaderCollector } from '#shared/crypt4gh/header/HeaderCollector.ts'
import { openHeader } from '#shared/crypt4gh/header/openHeader.ts'
import { readHeader } from '#shared/crypt4gh/header/readHeader.ts'
import { readHeaderOf } from '#shared/crypt4gh/header/readHeaderOf.ts'
import { joinPackets, sealPackets } from '#shared/crypt4gh/header/writeHeader.ts'
import { readPrivateKey } from '#shared/crypt4gh/keys/readPrivateKey.ts'
import { readPublicKey } from '#shared/crypt4gh/keys/readPublicKey.ts'
import { writePrivateKey } from '#shared/crypt4gh/keys/writePrivateKey.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { openCrypt4ghSource } from '#shared/crypt4gh/openCrypt4ghSource.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { backends, codeOf, cutAt, makeFile, newKeys } from '../crypt4gh/support.ts'

const alice = newKeys()
const plain = randomBytes(140_000)
const { file, headerLength } = makeFile(plain, alice, [10, 100_000, 20, 5])

/** What a hostile or unlucky hand does to bytes: each number is taken modulo what is there. */
const mutation = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), value: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), value: fc.constant(0) }),
  fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), value: fc.nat(255) }),
  fc.record({ kind: fc.constant('remove' as const), at: fc.nat(), value: fc.nat(200) }),
  fc.record({
    kind: fc.constant('u32' as const),
    at: fc.nat(),
    value: fc.constantFrom(0, 1, 7, 8, 67, 68, 0x7fffffff, 0xffffffff, 1 << 24, (1 << 24) + 1, 65537),
  }),
)
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never

function mutate(bytes: Buffer, { kind, at, value }: Mutation, region: number): Buffer {
  const place = at % Math.max(1, Math.min(region, bytes.length))
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)]
  switch (kind) {
    case 'flip': {
      const copy = Buffer.from(bytes)
      if (copy.length > 0) copy[place]! ^= value
      return copy
    }
    case 'cut':
      return before
    case 'insert':
      return Buffer.concat([before, Buffer.from([value]), after])
    case 'remove':
      return Buffer.concat([before, after.subarray(value)])
    case 'u32': {
      const copy = Buffer.from(bytes)
      if (place + 4 <= copy.length) copy.writeUInt32LE(value, place)
      return copy
    }
  }
}

/** Runs it to its end: only an error of our own may come out of it. */
async function survives(act: () => unknown): Promise<void> {
  try {
    const result = await act()
    if (typeof result === 'object' && result !== null && Symbol.asyncIterator in result)
      for await (const chunk of result as AsyncIterable<Uint8Array>) expect(chunk.length).toBeGreaterThan(0)
  } catch (error) {
    if (!(error instanceof HtsvaultError)) throw error
    expect(error.code).toMatch(/^(NOT_CRYPT4GH|CRYPT4GH_[A-Z_0-9]+|KEY_[A-Z_]+|RANGE_OUTSIDE_FILE)$/)
  }
}

const mutations = (region: number) =>
  fc
    .array(mutation, { minLength: 1, maxLength: 4 })
    .map(list => list.reduce<Buffer>((b, m) => mutate(b, m, region), file))

describe('mutated files end in our own errors', () => {
  test.each([
    ['header', headerLength],
    ['body', file.length],
  ])('the %s, whole, streamed in any chunks, and by ranges', async (_, region) => {
    await fc.assert(
      fc.asyncProperty(mutations(region), fc.array(fc.nat(), { maxLength: 6 }), async (bytes, places) => {
        await survives(() => decryptStream(cutAt(bytes, places), alice, nodeBackend))
        await survives(async () => {
          const source = memorySource(bytes)
          const header = await readHeaderOf(source)
          const open = openHeader(header, alice, nodeBackend)
          const decrypted = openCrypt4ghSource(source, open, { headerLength: header.length }, nodeBackend)
          await decrypted.read(0, decrypted.size)
        })
      }),
      { numRuns: 300 },
    )
  })

  test('both backends come to the same end', async () => {
    await fc.assert(
      fc.asyncProperty(mutations(headerLength + 200), async bytes => {
        const [one, other] = await Promise.all(
          backends.map(backend =>
            codeOf(() => {
              const header = readHeader(bytes)
              decryptBytes(bytes.subarray(header.length), openHeader(header, alice, backend), backend)
            }),
          ),
        )
        expect(one).toBe(other)
      }),
      { numRuns: 40 },
    )
  })

  test('random bytes behind the magic', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.nat(3), async (noise, packets) => {
        const start = Buffer.from(`crypt4gh\x01\0\0\0${String.fromCharCode(packets)}\0\0\0`, 'latin1')
        await survives(() => decryptStream([start, noise], alice, nodeBackend))
      }),
    )
  })
})

describe('opened packets with any content', () => {
  test('end in our own errors', async () => {
    const u32 = fc.oneof(fc.nat(3), fc.constantFrom(0xffffffff, 0x20000000, 0x1fffffff), fc.nat())
    const payload = fc
      .tuple(u32, u32, fc.uint8Array({ maxLength: 80 }))
      .map(([type, second, rest]) =>
        Uint8Array.of(...new Uint8Array(Uint32Array.of(type, second).buffer), ...rest),
      )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(payload, fc.uint8Array({ maxLength: 10 })), { maxLength: 5 }),
        async payloads => {
          const header = joinPackets(sealPackets(payloads, [alice.publicKey], undefined, nodeBackend))
          await survives(() => decryptStream([header, randomBytes(100)], alice, nodeBackend))
        },
      ),
      { numRuns: 300 },
    )
  })

  test('an edit list of a million lengths is applied in time, in any chunks', async () => {
    const list = new Uint8Array(8 + 8 * 1_000_000)
    const view = new DataView(list.buffer)
    view.setUint32(0, 1, true)
    view.setUint32(4, 1_000_000, true)
    for (let i = 8; i < list.length; i += 16) view.setUint32(i, 1, true)
    const dataKey = new Uint8Array(40)
    const header = joinPackets(sealPackets([dataKey, list], [alice.publicKey], undefined, nodeBackend))
    // Every length is a discard of 1 or a keep of 0: nothing is left.
    await survives(() => decryptStream([header], alice, nodeBackend))
  })
})

describe('declared sizes are not believed', () => {
  const declaring = (packets: number, packetBytes: number) => {
    const bytes = Buffer.alloc(24)
    bytes.write('crypt4gh')
    bytes.writeUInt32LE(1, 8)
    bytes.writeUInt32LE(packets, 12)
    bytes.writeUInt32LE(packetBytes, 16)
    return bytes
  }

  test('a packet of 16 MiB that does not come takes no memory', () => {
    const before = process.memoryUsage().arrayBuffers
    const collectors = Array.from({ length: 64 }, () => {
      const collector = new HeaderCollector()
      collector.push(declaring(65536, 1 << 24))
      return collector
    })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 << 20)
    expect(collectors.every(({ header }) => header === undefined)).toBe(true)
  })

  test('a header that goes on and on is given up at 32 MiB', async () => {
    const collector = new HeaderCollector()
    let sent = 0
    const code = await codeOf(() => {
      const packet = new Uint8Array(1 << 22)
      new DataView(packet.buffer).setUint32(0, packet.length, true)
      collector.push(declaring(65536, 8).subarray(0, 16))
      for (; sent < 1 << 30; sent += packet.length) collector.push(packet)
    })
    expect(code).toBe('CRYPT4GH_HEADER_TOO_LARGE')
    expect(sent).toBeLessThanOrEqual(1 << 25)
  })
})

describe('mutated keys end in our own errors', () => {
  test('private and public', async () => {
    const text = Buffer.from(await writePrivateKey(alice.secretKey, nodeBackend, { comment: 'x' }))
    const inner = Buffer.from(text.toString().split('\n')[1]!, 'base64')
    const pem = (bytes: Buffer, label: string) =>
      Buffer.from(`-----BEGIN ${label}-----\n${bytes.toString('base64')}\n-----END ${label}-----\n`)
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async list => {
        const broken = list.reduce<Buffer>((b, m) => mutate(b, m, b.length), inner)
        for (const bytes of [
          list.reduce<Buffer>((b, m) => mutate(b, m, b.length), text),
          pem(broken, 'CRYPT4GH PRIVATE KEY'),
          pem(Buffer.concat([Buffer.from('openssh-key-v1\0'), broken]), 'OPENSSH PRIVATE KEY'),
        ])
          await survives(() => readPrivateKey(bytes, nodeBackend))
        await survives(() => readPublicKey(pem(broken, 'CRYPT4GH PUBLIC KEY')))
        await survives(() => readPublicKey(`ssh-ed25519 ${broken.toString('base64')}`))
      }),
      { numRuns: 300 },
    )
  })
})
