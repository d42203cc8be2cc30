import { describe, expect, test } from '@jest/globals'
import { virtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { readBgzf } from '#shared/bgzf/readBgzf.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { BinningIndexBuilder } from '#shared/indexes/binning/BinningIndexBuilder.ts'
import { baiScheme } from '#shared/indexes/binning/bins.ts'
import { readTbi } from '#shared/indexes/tbi/readTbi.ts'
import { writeTbi } from '#shared/indexes/tbi/writeTbi.ts'

const builder = new BinningIndexBuilder({ ...baiScheme, linear: true })
builder.add(0, 5, 9, virtualOffset(0, 100), true)
builder.add(1, 70_000, 90_000, virtualOffset(0, 200), true)
const index = builder.finish(virtualOffset(500, 0))
const file = writeTbi(index, ['chr1', 'ü:1'])
const plain = readBgzf(file)

describe('TBI', () => {
  test('reads what it writes, compressed and inflated', () => {
    for (const bytes of [file, plain]) {
      const read = readTbi(bytes)
      expect(read.names).toEqual(['chr1', 'ü:1'])
      expect(read.index.bins).toEqual(index.bins)
      expect(read.index.windows).toEqual(index.windows)
    }
  })

  test('begins as the specification has it', () => {
    const view = new DataView(plain.buffer, plain.byteOffset)
    expect(Buffer.from(plain.subarray(0, 4)).toString('latin1')).toBe('TBI\x01')
    const settings = Array.from({ length: 8 }, (_, i) => view.getInt32(4 + 4 * i, true))
    expect(settings).toEqual([2, 2, 1, 2, 0, 35, 0, 10])
  })

  test('cut anywhere, it is refused', () => {
    // The count of unplaced records, the last 8 bytes, may be absent.
    for (let size = 0; size < plain.length - 8; size++)
      expect(() => readTbi(plain.slice(0, size))).toThrow(HtsvaultError)
  })

  test.each([
    [0, 'another magic'],
    [4, 'another number of references than names'],
    [8, 'another preset'],
    [35, 'more bytes of names than there are'],
    [45, 'a last name without its end'],
  ])('with byte %d changed it is refused: %s', at => {
    const changed = plain.slice()
    changed[at]! ^= 0x41
    expect(() => readTbi(changed)).toThrow(expect.objectContaining({ code: 'INDEX_INVALID' }))
  })
})
