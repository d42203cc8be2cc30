import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readBlockSize } from '#shared/bgzf/bgzfBlock.ts'
import { inflateRaw, inflateTogether, maxInflate, mostTogether } from '#shared/bgzf/inflateRaw.ts'

const root = join(import.meta.dirname, '../..')

/** What zlib makes of it, or undefined. */
function zlibInflate(compressed: Uint8Array): Buffer | undefined {
  try {
    return inflateRawSync(compressed, { maxOutputLength: maxInflate })
  } catch {
    return undefined
  }
}

/** zlib's verdict and bytes are ours; where zlib refuses, ours refuses at `size`. */
function expectAsZlib(compressed: Uint8Array, size: number): boolean {
  const wanted = zlibInflate(compressed)
  const got = inflateRaw(compressed, wanted?.length ?? size)
  expect(got === undefined).toBe(wanted === undefined)
  if (!wanted || !got) return false
  expect(Buffer.compare(got, wanted)).toBe(0)
  for (const other of [wanted.length - 1, wanted.length + 1])
    if (other >= 0) expect(inflateRaw(compressed, other)).toBeUndefined()
  return true
}

interface Stream {
  readonly compressed: Uint8Array
  readonly size: number
}

/** Inflates streams side by side, with other bytes between them. */
function together(streams: readonly Stream[]): Uint8Array[] | undefined {
  const gap = Buffer.from('between')
  let at = 0
  const jobs = streams.map(({ compressed, size }) => {
    const start = at + gap.length
    at = start + compressed.length
    return { start, end: at, size }
  })
  const all = Buffer.concat(streams.flatMap(({ compressed }) => [gap, compressed]))
  return inflateTogether(all, jobs)?.map(plain => plain.slice())
}

/** A stream that is long enough to be at work while others end. */
const neighbour: Stream = {
  compressed: deflateRawSync(noise(60, 1500, 17)),
  size: 1500,
}

/** As `expectAsZlib`, in each lane beside others, which are as they would be alone; or all are refused. */
function expectAsZlibBesideOthers(compressed: Uint8Array, size: number): void {
  const wanted = zlibInflate(compressed)
  const stream = { compressed, size: wanted?.length ?? size }
  const others = noise(60, 1500, 17)
  for (const before of [0, 1, 2]) {
    const streams = [...Array.from({ length: before }, () => neighbour), stream, neighbour]
    const got = together(streams)
    expect(got === undefined).toBe(wanted === undefined)
    got?.forEach((plain, i) => {
      expect(Buffer.compare(plain, i === before ? wanted! : others)).toBe(0)
    })
  }
}

/** Bytes as files have them: a few kinds over and over, repeats from near and far, noise. */
const plainBytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.nat(2000))
        .map(([unit, n]) => repeat(unit, n)),
      fc
        .tuple(fc.integer({ min: 1, max: 255 }), fc.nat(8000), fc.nat())
        .map(([kinds, n, seed]) => noise(kinds, n, seed)),
    ),
    { maxLength: 12 },
  )
  .map(parts => Buffer.concat([...parts, ...parts.slice(0, 2)]).subarray(0, 60_000))

const repeat = (unit: Uint8Array, size: number) =>
  Uint8Array.from({ length: size }, (_, i) => unit[i % unit.length]!)

/** Skewed: low values are frequent, so that codes are of every length. */
function noise(kinds: number, size: number, seed: number): Uint8Array {
  let x = seed | 1
  return Uint8Array.from({ length: size }, () => {
    x = (Math.imul(x, 1103515245) + 12345) >>> 0
    return Math.floor(kinds * (x / 2 ** 32) ** 3)
  })
}

const deflateOptions = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  memLevel: fc.integer({ min: 1, max: 9 }),
  strategy: fc.constantFrom(
    constants.Z_DEFAULT_STRATEGY,
    constants.Z_FILTERED,
    constants.Z_HUFFMAN_ONLY,
    constants.Z_RLE,
    constants.Z_FIXED,
  ),
})

/** Bits as RFC 1951 packs them: each number's low bits first. */
function packBits(...fields: readonly (readonly [value: number, width: number])[]): Uint8Array {
  const bits = fields.flatMap(([value, width]) => Array.from({ length: width }, (_, i) => (value >> i) & 1))
  const bytes = new Uint8Array((bits.length + 7) >> 3)
  bits.forEach((bit, i) => (bytes[i >> 3]! |= bit << (i & 7)))
  return bytes
}

test('the module is what its source makes', () => {
  execFileSync(process.execPath, ['wasm/build.ts', '--check'], { cwd: root, stdio: 'pipe' })
}, 60_000)

describe('inflates what zlib deflates', () => {
  test('by every level, strategy and memory level', () => {
    fc.assert(
      fc.property(plainBytes, deflateOptions, (plain, options) => {
        expect(expectAsZlib(deflateRawSync(plain, options), 0)).toBe(true)
      }),
      { numRuns: 100 },
    )
  })

  test('to 64 KiB, whatever they end in', () => {
    for (const unit of [1, 2, 3, 7, 8, 9, 15, 16, 17, 300]) {
      const plain = repeat(noise(256, unit, 7), maxInflate)
      expect(expectAsZlib(deflateRawSync(plain, { level: 9 }), 0)).toBe(true)
    }
    expect(expectAsZlib(deflateRawSync(noise(200, maxInflate, 3)), 0)).toBe(true)
    expect(inflateRaw(deflateRawSync(new Uint8Array(maxInflate + 1)), maxInflate)).toBeUndefined()
    expect(inflateRaw(deflateRawSync(new Uint8Array(maxInflate + 1)), maxInflate + 1)).toBeUndefined()
  })

  test('from 64 KiB of input and no more', () => {
    const plain = noise(256, maxInflate - 10, 5)
    const stored = deflateRawSync(plain, { level: 0 })
    expect(stored.length).toBeLessThanOrEqual(maxInflate)
    const padded = Buffer.concat([stored, Buffer.alloc(maxInflate + 1 - stored.length)])
    expect(inflateRaw(padded.subarray(0, maxInflate), plain.length)).toEqual(plain)
    expect(inflateRaw(padded, plain.length)).toBeUndefined()
  })

  test('in every block of the fixtures', () => {
    const folder = join(root, 'test/fixtures')
    let blocks = 0
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!/\.(bam|bcf|gz|csi|tbi)$/.test(name)) continue
      const file = readFileSync(join(folder, name))
      for (let at = 0; at < file.length; blocks++) {
        let size
        try {
          size = readBlockSize(file, at, file.length, at)
        } catch {
          break // a fixture that is damaged on purpose
        }
        if (size === 0 || at + size > file.length) break
        const compressed = file.subarray(at + 12 + file.readUInt16LE(at + 10), at + size - 8)
        expectAsZlib(compressed, file.readUInt32LE(at + size - 4) % maxInflate)
        at += size
      }
    }
    expect(blocks).toBeGreaterThan(20)
  })
})

describe('side by side', () => {
  test('streams of every kind and length are what they are alone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(plainBytes, deflateOptions), { maxLength: mostTogether }),
        fc.option(fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }))),
        (plains, damage) => {
          const streams = plains.map(([plain, options]) => ({
            compressed: new Uint8Array(deflateRawSync(plain, options)),
            size: plain.length,
          }))
          const damaged = damage && streams[damage[0] % streams.length]?.compressed
          if (damaged) damaged[damage[1] % damaged.length]! ^= damage[2]
          // What zlib finds behind the end of a stream it passes over, here as there.
          const wanted = streams.map(({ compressed, size }) => {
            const plain = zlibInflate(compressed)
            return plain?.length === size ? new Uint8Array(plain) : undefined
          })
          expect(together(streams)).toEqual(wanted.includes(undefined) ? undefined : wanted)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('no more than fit', () => {
    const few = Array.from({ length: mostTogether }, () => neighbour)
    expect(together(few)).toHaveLength(mostTogether)
    expect(together([...few, neighbour])).toBeUndefined()
    expect(together([])).toEqual([])
    const far = Buffer.concat([neighbour.compressed, Buffer.alloc(1 << 18), neighbour.compressed])
    const end = neighbour.compressed.length
    const jobs = [
      { start: 0, end, size: neighbour.size },
      { start: far.length - end, end: far.length, size: neighbour.size },
    ]
    expect(inflateTogether(far, jobs)).toBeUndefined()
    // As it is where a block's header says that it is longer than the block.
    expect(inflateTogether(far, [{ start: 8, end: 4, size: 0 }])).toBeUndefined()
  })
})

describe('refuses what zlib refuses', () => {
  test('cut off at any byte', () => {
    const whole = deflateRawSync(noise(90, 3000, 11))
    for (let end = 0; end < whole.length; end++)
      expect(inflateRaw(whole.subarray(0, end), 3000)).toBeUndefined()
  })

  test('with bytes changed anywhere, and with bytes behind it', () => {
    let accepted = 0
    fc.assert(
      fc.property(
        plainBytes.map(plain => plain.subarray(0, 4000)),
        deflateOptions,
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        (plain, options, changes, inHeader) => {
          const changed = Buffer.concat([deflateRawSync(plain, options), Buffer.alloc(3, 0xa5)])
          // The codes are told at the start: there a change does most.
          for (const [at, by] of changes)
            changed[at % (inHeader ? Math.min(60, changed.length) : changed.length)]! ^= by
          if (expectAsZlib(changed, plain.length)) accepted++
          expectAsZlibBesideOthers(changed, plain.length)
        },
      ),
      { numRuns: 400 },
    )
    expect(accepted).toBeGreaterThan(0)
  })

  test('made of noise', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 3, 5),
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        (head, bytes) => {
          bytes[0] = (bytes[0]! & 0xf8) | head
          expectAsZlib(bytes, 100)
          expectAsZlibBesideOthers(bytes, 100)
        },
      ),
      { numRuns: 1000 },
    )
  })

  // A dynamic block: HLIT, HDIST, HCLEN, then lengths of 3 bits for the code for code lengths, in the order 16, 17,
  // 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15.
  const dynamic = (hlit: number, hdist: number, meta: readonly number[]) =>
    [[1, 1], [2, 2], [hlit, 5], [hdist, 5], [meta.length - 4, 4], ...meta.map(n => [n, 3] as const)] as const
  // Codes for 18 (a run of zeros) and for the lengths 0, 1: 0, 10 and 11, as they are written: 0, 1 and 3.
  const zerosAndOnes = [0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2] as const
  const run = (n: number) =>
    [
      [0, 1],
      [n - 11, 7],
    ] as const
  const zero = [1, 2] as const
  const one = [3, 2] as const
  const endOnly = [...run(138), ...run(118), one] as const

  test.each<[string, number | undefined, Uint8Array]>([
    ['an empty fixed block', 0, packBits([1, 1], [1, 2], [0, 7])],
    ['the reserved kind of block', undefined, packBits([1, 1], [3, 2], [0, 29])],
    [
      'a fixed block that goes back before the start',
      undefined,
      packBits([1, 1], [1, 2], [0x40, 7], [0, 5], [0, 7]),
    ],
    // 286 is 11000110 and distance 30 is 11110, codes begin with their highest bit.
    ['length symbol 286', undefined, packBits([1, 1], [1, 2], [0x0c, 8], [0x63, 8], [0, 20])],
    ['distance symbol 30', undefined, packBits([1, 1], [1, 2], [0x0c, 8], [0x40, 7], [0x0f, 5], [0, 20])],
    ['a stored block without its complement', undefined, packBits([1, 1], [0, 7], [2, 16], [2, 16], [0, 16])],
    ['a stored block of nothing', 0, packBits([1, 1], [0, 7], [0, 16], [0xffff, 16])],
    ['the end as the only code', 0, packBits(...dynamic(0, 0, zerosAndOnes), ...endOnly, zero, [0, 1])],
    [
      'the other half of a single code',
      undefined,
      packBits(...dynamic(0, 0, zerosAndOnes), ...endOnly, zero, [1, 1]),
    ],
    [
      'no end among the codes',
      undefined,
      packBits(...dynamic(0, 0, zerosAndOnes), one, ...run(138), ...run(118), zero),
    ],
    ['more than 286 lengths', undefined, packBits(...dynamic(30, 0, zerosAndOnes), ...endOnly, zero)],
    ['more than 30 distances', undefined, packBits(...dynamic(0, 30, zerosAndOnes), ...endOnly, ...run(31))],
    [
      'too many codes of one length',
      undefined,
      packBits(...dynamic(0, 2, zerosAndOnes), ...endOnly, one, one, one),
    ],
    [
      'a run past the last length',
      undefined,
      packBits(...dynamic(0, 0, zerosAndOnes), ...endOnly, ...run(11)),
    ],
    [
      'a code for code lengths that lacks codes',
      undefined,
      packBits(...dynamic(0, 0, [0, 0, 1, 2]), [0, 64]),
    ],
    ['no code for code lengths', undefined, packBits(...dynamic(0, 0, [0, 0, 0, 0]), [0, 30], [0, 30])],
    ['a repeat of nothing', undefined, packBits(...dynamic(0, 0, [1, 0, 1, 0]), [0, 1], [0, 2], [0, 30])],
  ])('%s', (_what, size, compressed) => {
    expect(zlibInflate(compressed)?.length).toBe(size)
    expectAsZlib(compressed, 0)
    expectAsZlibBesideOthers(compressed, 0)
  })
})

test('what was inflated before is never seen', () => {
  const secret = Buffer.alloc(40_000, 'secret')
  expect(inflateRaw(deflateRawSync(secret, { level: 0 }), secret.length)).toEqual(new Uint8Array(secret))
  // The rest of this stream would be found in what the last one left.
  expect(inflateRaw(deflateRawSync(secret, { level: 0 }).subarray(0, 100), secret.length)).toBeUndefined()
  expect(inflateRaw(deflateRawSync(Buffer.from('ab')), 2)).toEqual(Uint8Array.of(97, 98))
})
