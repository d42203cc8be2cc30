import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { createFileIndexer, indexerOf } from '#shared/indexes/createFileIndexer.ts'
import type { Format, IndexKind } from '#shared/indexes/FileIndexer.ts'
import { fixtures } from '#test/fixtures/index.ts'
import { errorOf, indexInChunks } from '#test/support/indexing.ts'

const can: Record<Format, readonly IndexKind[]> = {
  BAM: ['bai', 'csi'],
  CRAM: ['crai'],
  VCF: ['tbi', 'csi'],
  BCF: ['csi'],
}
const kinds: readonly IndexKind[] = ['bai', 'csi', 'tbi', 'crai']
const cases = (['BAM', 'CRAM', 'VCF', 'BCF'] as const).flatMap(format =>
  kinds.map(kind => [format, kind] as const),
)

describe('the index that is asked for', () => {
  test.each(cases)('of %s, %s', (format, kind) => {
    const file = readFileSync(fixtures.find(each => each.format === format)!.path)
    if (can[format].includes(kind)) {
      expect(indexInChunks(indexerOf(format, kind), file).index.kind).toBe(kind)
      for (const size of [100, 1 << 20])
        expect(indexInChunks(createFileIndexer(kind), file, [size]).index.kind).toBe(kind)
      return
    }
    expect(errorOf(() => indexerOf(format, kind))).toMatchObject({ code: 'INDEX_KIND_UNFIT' })
    const indexing = errorOf(() => indexInChunks(createFileIndexer(kind), file))
    expect(indexing?.code).toBe('INDEX_KIND_UNFIT')
    for (const possible of can[format]) expect(indexing?.hint).toContain(`--format ${possible}`)
  })
})
