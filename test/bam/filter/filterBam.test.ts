import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { filterBam } from '#shared/bam/filter/filterBam.ts'
import { readBgzf } from '#shared/bgzf/readBgzf.ts'
import { writeBgzf } from '#shared/bgzf/writeBgzf.ts'
import { eofMarker } from '#shared/bgzf/bgzfBlock.ts'
import { memorySource } from '#shared/bytes/ByteSource.ts'
import { chooseColumns, type ColumnLists } from '#shared/columns/RecordColumns.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { fixturesOf } from '#test/fixtures/index.ts'
import { bamRecord } from '#test/support/bamBuilder.ts'
import { concatBytes } from '#test/support/concatBytes.ts'
import { filterBamFile } from '#test/support/filterBamFile.ts'
import { seededRandom } from '#test/support/random.ts'

const text = (of: string) => new Uint8Array(Buffer.from(of, 'latin1'))

async function filtered(plain: Uint8Array, lists: ColumnLists, chunk = 1 << 16): Promise<Uint8Array> {
  const bytes = writeBgzf(plain, { eof: false })
  const parts: Uint8Array[] = []
  for await (const part of filterBam(
    memorySource(bytes, chunk).stream(0, bytes.length),
    chooseColumns(lists)!,
  ))
    parts.push(part)
  return readBgzf(concatBytes(...parts, eofMarker))
}

const none = { fields: [], tags: [] }
const tags = text('NMC\x05OQZabc\0XBBs\x02\0\0\0\x01\0\x02\0XAAx')
const record = bamRecord({
  refId: 0,
  pos: 9,
  cigar: [(4 << 4) | 0],
  bases: 4,
  nextRefId: 0,
  name: 'read1',
  tags,
})

test('a record keeps its place and CIGAR alone', async () => {
  const expected = bamRecord({ refId: 0, pos: 9, cigar: [(4 << 4) | 0], name: '*' })
  // bamRecord gives a mapping quality of 30, and a mate at 0.
  const got = await filtered(record, none)
  const view = new DataView(got.buffer, got.byteOffset)
  expect(got[13]).toBe(255)
  expect([view.getInt32(24, true), view.getInt32(28, true), view.getInt32(32, true)]).toEqual([-1, -1, 0])
  expect(got.length).toBe(expected.length)
  expect(got.subarray(36)).toEqual(expected.subarray(36))
  expect(view.getInt32(0, true)).toBe(got.length - 4)
})

test('what is asked for stays byte for byte', async () => {
  const all = ['QNAME', 'MAPQ', 'RNEXT', 'PNEXT', 'TLEN', 'SEQ', 'QUAL']
  expect(await filtered(record, { fields: all, notags: ['zz'] })).toEqual(record)
  const withoutQualities = await filtered(record, { fields: all.slice(0, -1) })
  const at = record.length - tags.length - 4
  expect(withoutQualities.subarray(at, at + 4)).toEqual(new Uint8Array(4).fill(255))
  expect(withoutQualities.subarray(at + 4)).toEqual(tags)
})

test.each([
  [{ tags: ['NM', 'XA'] }, 'NMC\x05XAAx'],
  [{ tags: ['XB'] }, 'XBBs\x02\0\0\0\x01\0\x02\0'],
  [{ notags: ['XB', 'NM'] }, 'OQZabc\0XAAx'],
  [{ tags: [] }, ''],
])('tags of %j', async (lists, left) => {
  const got = await filtered(record, lists)
  expect(got).toHaveLength(record.length - tags.length + left.length)
  expect(Buffer.from(got).toString('latin1').endsWith(left)).toBe(true)
})

test('tags that cannot be told apart come as they are', async () => {
  const odd = bamRecord({ refId: 0, pos: 9, tags: text('NMC\x05XX?junk') })
  expect(Buffer.from(await filtered(odd, { tags: [] })).toString('latin1')).toMatch(/XX\?junk$/)
})

describe('a CIGAR in the tag CG', () => {
  const long = (bases: number) =>
    bamRecord({
      refId: 0,
      pos: 9,
      cigar: [(bases << 4) | 4, (9 << 4) | 3],
      bases,
      name: 'long',
      tags: text('NMC\x05CGBI\x02\0\0\0\x40\0\0\0\x52\0\0\0'),
    })

  test('stays, and its mark fits the bases that are left', async () => {
    const got = await filtered(long(4), none)
    const view = new DataView(got.buffer, got.byteOffset)
    expect(view.getUint32(38, true)).toBe(4)
    expect(Buffer.from(got.subarray(46)).toString('latin1')).toMatch(/^CGBI/)
    expect((await filtered(long(4), { tags: [] })).length).toBe(long(4).length - 4)
  })

  test('is a tag as any other where the record has its own CIGAR', async () => {
    const own = bamRecord({
      refId: 0,
      pos: 9,
      cigar: [(4 << 4) | 0],
      bases: 4,
      tags: text('CGBI\x01\0\0\0\x40\0\0\0'),
    })
    expect(await filtered(own, { tags: [] })).toHaveLength(own.length - 12)
    const clipped = bamRecord({ refId: 0, pos: 9, cigar: [(4 << 4) | 4], bases: 4, name: '*' })
    const got = await filtered(clipped, none)
    expect(new DataView(got.buffer, got.byteOffset).getUint32(38, true)).toBe((4 << 4) | 4)
  })
})

test('any chunks give the same records, and blocks end between them', async () => {
  const records = Array.from({ length: 900 }, (_, i) =>
    bamRecord({ refId: 0, pos: i, bases: (i * 37) % 400, name: `r${i}`, tags }),
  )
  const big = bamRecord({ refId: 0, pos: 900, bases: 150_000 })
  const plain = concatBytes(...records, big, ...records)
  const lists = { fields: ['QNAME', 'SEQ', 'QUAL'], tags: ['NM'] }
  const whole = await filtered(plain, lists)
  expect(await filtered(plain, lists, 101)).toEqual(whole)
  expect(whole.length).toBe(plain.length - 1800 * (tags.length - 4))
})

describe('damage is the project’s own error', () => {
  test('a record that is cut off', async () => {
    await expect(filtered(record.subarray(0, -1), none)).rejects.toMatchObject({ code: 'BAM_TRUNCATED' })
  })

  test('any bytes', async () => {
    const random = seededRandom(11)
    let failed = 0
    for (let draw = 0; draw < 400; draw++) {
      const bytes = concatBytes(record, record, record)
      for (let n = random.between(1, 3); n > 0; n--) bytes[random.below(bytes.length)] = random.below(256)
      await filtered(bytes, none).catch((error: unknown) => {
        expect(error).toBeInstanceOf(HtsvaultError)
        failed++
      })
    }
    expect(failed).toBeGreaterThan(20)
  })
})

test('the fixtures give the same bytes in any chunks', async () => {
  for (const { path, name } of fixturesOf('BAM').filter(({ name }) => /edges|pairs|header/.test(name))) {
    const file = readFileSync(path)
    const columns = chooseColumns(none)!
    const whole = await filterBamFile(file, columns)
    expect([name, Buffer.compare(await filterBamFile(file, columns, 1000), whole)]).toEqual([name, 0])
  }
})
