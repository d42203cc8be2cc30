import { describe, expect, test } from '@jest/globals'
import { writeBgzf } from '#shared/bgzf/writeBgzf.ts'
import { memorySource } from '#shared/bytes/ByteSource.ts'
import type { GenomicRecord } from '#shared/client/records/GenomicRecord.ts'
import { readIndexedVcf, type VariantIndex } from '#shared/client/records/readIndexedVcf.ts'
import { readRecords } from '#shared/client/records/readRecords.ts'
import { VcfIndexer } from '#shared/indexes/VcfIndexer.ts'
import { codeOf } from '#test/crypt4gh/support.ts'
import { variantText } from '#test/support/variantText.ts'
import { inChunks } from './support.ts'

const contigs = ['a', 'b:1', 'empty'].map(name => ({ name, length: 10_000_000 }))
const file = writeBgzf(Buffer.from(variantText({ seed: 5, contigs: contigs.slice(0, 2), records: 2000 })), {
  blockSize: 5000,
})

function indexOf(kind: 'tbi' | 'csi'): VariantIndex {
  const indexer = new VcfIndexer({ index: kind })
  indexer.push(file)
  const { bytes } = indexer.finish().index
  return kind === 'tbi' ? { tbi: bytes } : { csi: bytes }
}

async function all(records: AsyncIterable<GenomicRecord>): Promise<GenomicRecord[]> {
  const found: GenomicRecord[] = []
  for await (const record of records) found.push(record)
  return found
}

describe.each(['tbi', 'csi'] as const)('records by a %s', kind => {
  const index = indexOf(kind)

  test.each([
    [[{ referenceName: 'a', start: 100_000, end: 200_000 }]],
    [[{ referenceName: 'b:1' }]],
    // Out of order, overlapping, on both, and where there is nothing.
    [
      [
        { referenceName: 'b:1', start: 300_000, end: 500_000 },
        { referenceName: 'a', start: 50_000, end: 400_000 },
        { referenceName: 'a', start: 0, end: 60_000 },
        { referenceName: 'a', start: 300_000, end: 310_000 },
        { referenceName: 'empty' },
        { referenceName: 'unknown', start: 5, end: 6 },
      ],
    ],
  ])('in %j are those that reading it through finds', async regions => {
    const wanted = await all(readRecords(inChunks(file, 10_000), { regions }))
    expect(wanted.length).toBeGreaterThan(10)
    expect(await all(readIndexedVcf(memorySource(file), index, regions))).toEqual(wanted)
  })

  test('come after the header that it has', async () => {
    const headers: unknown[] = []
    const onHeader = (header: unknown) => void headers.push(header)
    await all(readRecords(inChunks(file, 10_000), { onHeader }))
    await all(readIndexedVcf(memorySource(file), index, [], { onHeader }))
    expect(headers[1]).toEqual(headers[0])
  })

  test('of another file, or of a damaged one, are an error', async () => {
    const regions = [{ referenceName: 'a' }]
    const end = file.subarray(-28)
    const other = memorySource(Uint8Array.from([...new Uint8Array(file.length - 28), ...end]))
    expect(await codeOf(() => all(readIndexedVcf(other, index, regions)))).toBe('INDEX_UNUSABLE')
    const cut = memorySource(file.subarray(0, 20_000))
    expect(await codeOf(() => all(readIndexedVcf(cut, index, regions)))).toBe('BGZF_NO_EOF')
    const nonsense = kind === 'tbi' ? { tbi: file } : { csi: file }
    expect(await codeOf(() => all(readIndexedVcf(memorySource(file), nonsense, regions)))).toBe(
      'INDEX_UNUSABLE',
    )
  })
})
