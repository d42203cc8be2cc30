import { gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BgzfReader } from '#shared/bgzf/BgzfReader.ts'
import { BgzfRecordFeed } from '#shared/bgzf/BgzfRecordFeed.ts'
import { cutBgzf } from '#shared/bgzf/cutBgzf.ts'
import { eofMarker } from '#shared/bgzf/bgzfBlock.ts'
import { readBgzf } from '#shared/bgzf/readBgzf.ts'
import { type VirtualOffset, virtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { writeBgzf } from '#shared/bgzf/writeBgzf.ts'
import { memorySource } from '#shared/bytes/ByteSource.ts'
import { HtsvaultError } from '#shared/errors.ts'

const bytes = (n: number, f: (i: number) => number = i => (i * 7919) >> 5) =>
  Uint8Array.from({ length: n }, (_, i) => f(i))
const random = (n: number) => {
  let x = 42
  return bytes(n, () => (x = (x * 1103515245 + 12345) & 0x7fffffff) >> 16)
}
const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof HtsvaultError) return error.code
    throw error
  }
  return 'none'
}
const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts))

/** Pushes a file in chunks of the given sizes, over and over. */
function readInChunks(
  file: Uint8Array,
  sizes: readonly number[],
): { plain: Uint8Array; blocks: [number, number][] } {
  const plain: Uint8Array[] = []
  const blocks: [number, number][] = []
  const reader = new BgzfReader((part, offset, size) => {
    plain.push(part.slice())
    part.fill(0xee) // it is ours until we return
    blocks.push([offset, size])
  })
  for (let at = 0, k = 0; at < file.length; k++) {
    const size = sizes[k % sizes.length]!
    const chunk = file.slice(at, at + size)
    reader.push(chunk)
    chunk.fill(0xee) // the reader keeps no reference to it
    at += size
  }
  reader.finish()
  return { plain: join(...plain), blocks }
}

describe('BGZF', () => {
  test('an empty file is the end marker', () => {
    expect(writeBgzf(new Uint8Array(0))).toEqual(eofMarker)
    expect(readBgzf(eofMarker)).toHaveLength(0)
  })

  test('incompressible bytes fit their blocks', () => {
    const plain = random(200_000)
    expect(readBgzf(writeBgzf(plain))).toEqual(plain)
  })

  test('any chunking reads the same blocks', () => {
    const plain = bytes(20_000)
    const file = join(
      writeBgzf(plain.subarray(0, 9000), { eof: false, blockSize: 777 }),
      eofMarker,
      writeBgzf(plain.subarray(9000), { blockSize: 5000 }),
    )
    const whole = readInChunks(file, [file.length])
    expect(whole.plain).toEqual(plain)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 20 }), sizes => {
        expect(readInChunks(file, sizes)).toEqual(whole)
      }),
      { numRuns: 30 },
    )
    expect(readInChunks(file, [1])).toEqual(whole)
  })

  test('other extra subfields are passed over', () => {
    const block = writeBgzf(bytes(100), { eof: false })
    const extra = Uint8Array.of(0x41, 0x42, 3, 0, 1, 2, 3)
    const wide = join(block.subarray(0, 12), extra, block.subarray(12))
    wide[10] = 6 + extra.length
    new DataView(wide.buffer).setUint16(16 + extra.length, wide.length - 1, true)
    const file = join(wide, eofMarker)
    expect(readBgzf(file)).toEqual(bytes(100))
    expect(readInChunks(file, [1]).plain).toEqual(bytes(100))
  })

  test('what is wrong is told by code', () => {
    const file = writeBgzf(bytes(1000), { blockSize: 400 })
    const change = (at: number, value: number) => {
      const changed = file.slice()
      changed[at] = value
      return () => readBgzf(changed)
    }
    const data = file.length - eofMarker.length
    expect(codeOf(() => readBgzf(new Uint8Array(0)))).toBe('EMPTY_FILE')
    expect(codeOf(() => readBgzf(new Uint8Array(gzipSync('text'))))).toBe('NOT_BGZF')
    expect(codeOf(() => readBgzf(Buffer.from('@HD\tVN:1.6')))).toBe('NOT_BGZF')
    expect(codeOf(() => readBgzf(file.subarray(0, data)))).toBe('BGZF_NO_EOF')
    expect(codeOf(() => readBgzf(file.subarray(0, data + 5)))).toBe('BGZF_TRUNCATED')
    expect(codeOf(() => readBgzf(join(file, Uint8Array.of(1, 2, 3))))).toBe('TRAILING_DATA')
    expect(codeOf(change(data, 7))).toBe('BGZF_BAD_HEADER')
    expect(codeOf(change(data - 8, file[data - 8]! ^ 1))).toBe('BGZF_CRC')
    expect(codeOf(change(data - 4, file[data - 4]! ^ 1))).toBe('BGZF_BAD_DATA')
    expect(codeOf(change(data - 1, 1))).toBe('BGZF_BAD_DATA')
    expect(codeOf(change(18, 0xff))).toBe('BGZF_BAD_DATA')
    expect(codeOf(() => readBgzf(file, 999))).toBe('FILE_TOO_LARGE')
  })

  test('a block never inflates past 64 KiB', () => {
    const bomb = new Uint8Array(gzipSync(new Uint8Array(20_000_000)))
    const deflated = bomb.subarray(10, bomb.length - 8)
    const block = new Uint8Array(26 + deflated.length)
    block.set(eofMarker.subarray(0, 16))
    block.set(deflated, 18)
    const view = new DataView(block.buffer)
    view.setUint16(16, block.length - 1, true)
    view.setUint32(block.length - 4, 65536, true)
    expect(block.length).toBeLessThan(65536)
    expect(codeOf(() => readBgzf(join(block, eofMarker)))).toBe('BGZF_BAD_DATA')
  })

  test('cut anywhere or with any bit flipped, only our own errors come', () => {
    const file = writeBgzf(random(3000), { blockSize: 900 })
    for (let end = 0; end < file.length; end++)
      expect(codeOf(() => readBgzf(file.subarray(0, end)))).not.toBe('none')
    for (let bit = 0; bit < file.length * 8; bit += 3) {
      const flipped = file.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      codeOf(() => readBgzf(flipped))
    }
  })
})

describe('BgzfRecordFeed', () => {
  /** Records of a length byte and that many bytes; every record with its offset, as read from the feed. */
  function recordsOf(file: Uint8Array): {
    starts: VirtualOffset[]
    lengths: number[]
    end: VirtualOffset
    pending: number
  } {
    const starts: VirtualOffset[] = []
    const lengths: number[] = []
    const feed = new BgzfRecordFeed((window, start, end, first, base) => {
      let at = start
      while (at + 2 <= end) {
        const length = window[at]! | (window[at + 1]! << 8)
        if (at + 2 + length > end) break
        starts.push(at === start ? first : ((base + at) as VirtualOffset))
        lengths.push(length)
        at += 2 + length
      }
      return at
    })
    const reader = new BgzfReader((plain, offset, size) => feed.block(plain, offset, size))
    reader.push(file)
    reader.finish()
    return { starts, lengths, end: feed.offset, pending: feed.pending }
  }

  test('records cross blocks of any size, their offsets are exact', () => {
    const record = fc.integer({ min: 0, max: 9000 })
    const piece = fc.record({ size: fc.integer({ min: 1, max: 8000 }), empty: fc.boolean() })
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 30 }),
        fc.array(piece, { minLength: 1, maxLength: 9 }),
        (lengths, pieces) => {
          const plain = join(
            ...lengths.map(length => join(Uint8Array.of(length & 255, length >> 8), bytes(length))),
          )
          const parts: Uint8Array[] = []
          // Where each plain byte is: the end of the block before counts as the next block's start.
          const offsets: number[] = []
          let fileAt = 0
          let blockEnd = 0
          const add = (part: Uint8Array) => {
            parts.push(part)
            fileAt += part.length
          }
          for (let at = 0, k = 0; at < plain.length; k++) {
            const { size, empty } = pieces[k % pieces.length]!
            if (empty) add(eofMarker)
            const content = plain.subarray(at, at + size)
            for (let i = 0; i < content.length; i++)
              offsets.push(i === 0 ? blockEnd * 65536 : fileAt * 65536 + i)
            add(writeBgzf(content, { eof: false }))
            blockEnd = fileAt
            at += size
          }
          const result = recordsOf(join(...parts, eofMarker))
          expect(result.lengths).toEqual(lengths)
          let at = 0
          const expected = lengths.map(length => {
            const start = offsets[at]
            at += 2 + length
            return start
          })
          expect(result.starts).toEqual(expected)
          expect(result.pending).toBe(0)
          expect(result.end).toBe(virtualOffset(blockEnd, 0))
        },
      ),
      { numRuns: 50 },
    )
  })

  test('an unfinished record is left over', () => {
    const result = recordsOf(writeBgzf(Uint8Array.of(1, 0, 9, 5, 0, 1, 2)))
    expect(result.lengths).toEqual([1])
    expect(result.pending).toBe(4)
    expect(result.end).toBe(virtualOffset(0, 3))
  })
})

describe('cutBgzf', () => {
  const plain = random(3000)
  const file = writeBgzf(plain, { blockSize: 1000 })
  const blocks = readInChunks(file, [file.length]).blocks
  const collect = async (start: VirtualOffset, end: VirtualOffset, source = memorySource(file, 100)) => {
    const cut = await cutBgzf(source, { start, end })
    const parts: Uint8Array[] = []
    for await (const part of cut.stream()) parts.push(part)
    const out = join(...parts)
    expect(cut.size).toBe(out.length)
    return out
  }

  test('yields exactly the bytes of any virtual range', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(3000), fc.nat(3000), fc.boolean(), async (a, b, atEnd) => {
        const [from, to] = a < b ? [a, b] : [b, a]
        const offset = (p: number) => virtualOffset(blocks[Math.floor(p / 1000)]![0], p % 1000)
        const end =
          atEnd && to % 1000 === 0 && to > from ? virtualOffset(blocks[to / 1000 - 1]![0], 1000) : offset(to)
        const cut = await collect(offset(from), end)
        expect(readBgzf(join(cut, eofMarker))).toEqual(plain.slice(from, to))
      }),
    )
  })

  test('whole blocks stay as they are', async () => {
    const out = await collect(virtualOffset(blocks[1]![0], 0), virtualOffset(blocks[2]![0], 0))
    expect(out).toEqual(file.slice(blocks[1]![0], blocks[2]![0]))
  })

  test.each([
    ['within a block', virtualOffset(5, 0), virtualOffset(blocks[2]![0], 0)],
    ['past the end', virtualOffset(file.length, 0), virtualOffset(file.length, 5)],
    ['past the end of a block', virtualOffset(0, 1001), virtualOffset(blocks[1]![0], 0)],
    ['to past the end of a block', virtualOffset(0, 0), virtualOffset(blocks[1]![0], 1001)],
    ['to past the end of the file', virtualOffset(0, 0), virtualOffset(file.length + 1, 0)],
  ])('refuses a range %s', async (_, start, end) => {
    await expect(cutBgzf(memorySource(file), { start, end })).rejects.toMatchObject({ code: 'BGZF_NO_BLOCK' })
  })
})
