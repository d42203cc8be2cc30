import { randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type ByteSource, memorySource } from '#shared/bytes/ByteSource.ts'
import { decryptBytes } from '#shared/crypt4gh/body/decryptBytes.ts'
import { openHeader } from '#shared/crypt4gh/header/openHeader.ts'
import { readHeader } from '#shared/crypt4gh/header/readHeader.ts'
import { readHeaderOf } from '#shared/crypt4gh/header/readHeaderOf.ts'
import { writeHeader } from '#shared/crypt4gh/header/writeHeader.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { openCrypt4ghSource } from '#shared/crypt4gh/openCrypt4ghSource.ts'
import { rearrange } from '#shared/crypt4gh/rearrange.ts'
import { applyEditList, codeOf, drainAsync, makeFile, newKeys } from './support.ts'

const alice = newKeys()
const plain = randomBytes(1_000_000)

/** Writes down what is read of it. */
function watched(source: ByteSource) {
  const reads: [number, number][] = []
  const watching: ByteSource = {
    size: source.size,
    read: (start, end) => (reads.push([start, end]), source.read(start, end)),
    stream: (start, end) => (reads.push([start, end]), source.stream(start, end)),
  }
  return { source: watching, reads }
}

async function open(editList?: number[]) {
  const { file } = makeFile(plain, alice, editList)
  const { source, reads } = watched(memorySource(file, 50_000))
  const header = await readHeaderOf(source)
  const opened = openHeader(header, alice, nodeBackend)
  reads.length = 0
  return { plain: openCrypt4ghSource(source, opened, { headerLength: header.length }, nodeBackend), reads }
}

describe('a byte source over an encrypted file', () => {
  test.each<[string, number[] | undefined]>([
    ['as it is', undefined],
    ['with an edit list', [5, 100_000, 65536, 1, 300_000, 70_000]],
    ['with an edit list that several reads take', [5, 1000, 300_000, 70_000, 3, 9, 290_000, 50_000]],
    ['with nothing kept', [0, 0]],
  ])('%s reads as the plain bytes do, any range', async (_, list) => {
    const { plain: source } = await open(list)
    const text = Buffer.from(applyEditList(list ?? [], plain))
    expect(source.size).toBe(text.length)
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length), fc.nat(text.length), async (a, b) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)]
        expect(text.subarray(start, end).equals(await source.read(start, end))).toBe(true)
        expect(text.subarray(start, end).equals(await drainAsync(source.stream(start, end)))).toBe(true)
        const chunks: Buffer[] = []
        // What is reused holds until the next is asked for.
        for await (const chunk of source.stream(start, end, { reuse: true })) chunks.push(Buffer.from(chunk))
        expect(text.subarray(start, end).equals(Buffer.concat(chunks))).toBe(true)
      }),
      { numRuns: 40 },
    )
  })

  test('only the segments needed are read, in one read', async () => {
    const { plain: source, reads } = await open()
    await source.read(65536, 65537)
    await source.read(65535, 65537)
    await source.read(0, 131072)
    await source.read(999_999, 1_000_000)
    await source.read(7, 7)
    expect(reads).toEqual([
      [124 + 65564, 124 + 2 * 65564],
      [124, 124 + 2 * 65564],
      [124, 124 + 2 * 65564],
      [124 + 15 * 65564, 124 + 1_000_000 + 16 * 28],
    ])
  })

  test('outside the file', async () => {
    const { plain: source } = await open()
    expect(await codeOf(() => source.read(0, 1_000_001))).toBe('RANGE_OUTSIDE_FILE')
  })

  test('a broken segment is told by its number in the file', async () => {
    const { file, dataKey, headerLength } = makeFile(plain, alice)
    file[headerLength + 3 * 65564 + 100]! ^= 1
    const source = openCrypt4ghSource(
      memorySource(file),
      { dataKeys: [dataKey] },
      { headerLength },
      nodeBackend,
    )
    await expect(source.read(200_000, 200_001)).rejects.toMatchObject({ place: { segment: 3 } })
    expect((await source.read(0, 3 * 65536)).length).toBe(3 * 65536)
  })
})

describe('the header of a file in storage', () => {
  test('an ordinary one takes one read', async () => {
    const { source, reads } = watched(memorySource(makeFile(plain, alice).file))
    expect((await readHeaderOf(source)).length).toBe(124)
    expect(reads).toEqual([[0, 4096]])
  })

  test('one of 2,000 packets takes few', async () => {
    const dataKeys = Array.from({ length: 2000 }, (_, i) => Uint8Array.from({ length: 32 }, () => i >> 3))
    const header = writeHeader({ dataKeys, recipients: [alice.publicKey] }, nodeBackend)
    const { source, reads } = watched(memorySource(header))
    expect((await readHeaderOf(source)).packets.length).toBe(2000)
    expect(reads.length).toBeLessThanOrEqual(8)
  })

  test.each([
    [0, 'NOT_CRYPT4GH'],
    [5, 'CRYPT4GH_TRUNCATED'],
    [100, 'CRYPT4GH_TRUNCATED'],
  ])('of a file of %i bytes', async (size, code) => {
    const { file } = makeFile(plain.subarray(0, 10), alice)
    expect(await codeOf(() => readHeaderOf(memorySource(file.subarray(0, size))))).toBe(code)
  })
})

describe('rearranging', () => {
  const ranges = fc
    .array(fc.tuple(fc.nat(1_000_000), fc.nat(200_000)), { minLength: 1, maxLength: 4 })
    .map(list => list.map(([start, length]) => ({ start, end: start + length })))

  /** Carries a plan out, and reads the new file. */
  function carryOut(file: Buffer, wanted: { start: number; end: number }[], sizeKnown: boolean): Buffer {
    const header = readHeader(file)
    const body = file.subarray(header.length)
    const plan = rearrange(
      openHeader(header, alice, nodeBackend),
      { ranges: wanted, recipients: [alice.publicKey], ...(sizeKnown && { plainSize: plain.length }) },
      nodeBackend,
    )
    return Buffer.concat([plan.header, ...plan.body.map(({ start, end }) => body.subarray(start, end))])
  }
  const read = (file: Buffer) => {
    const header = readHeader(file)
    return decryptBytes(file.subarray(header.length), openHeader(header, alice, nodeBackend), nodeBackend)
  }
  const cut = (bytes: Uint8Array, wanted: { start: number; end: number }[]) => {
    const keep = new Uint8Array(bytes.length)
    for (const { start, end } of wanted) keep.fill(1, start, end)
    return bytes.filter((_, i) => keep[i] === 1)
  }

  test('shows the ranges, once and again, the size known or not', () => {
    const { file } = makeFile(plain, alice)
    fc.assert(
      fc.property(ranges, ranges, fc.boolean(), (first, second, sizeKnown) => {
        const once = carryOut(file, first, sizeKnown)
        const seen = cut(plain, first)
        expect(Buffer.from(seen).equals(read(once))).toBe(true)
        // The second is given in bytes of what the first shows; the new body's length is what it is.
        const twice = carryOut(once, second, false)
        expect(Buffer.from(cut(seen, second)).equals(read(twice))).toBe(true)
      }),
      { numRuns: 25 },
    )
  })
})
