import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { createFileIndexer } from '#shared/indexes/createFileIndexer.ts'
import { indexKinds } from '#shared/indexes/indexKinds.ts'
import { planShards } from '#shared/indexes/shards/planShards.ts'
import { fixtures, refusedFixtures } from '#test/fixtures/index.ts'
import { errorOf, indexInChunks } from '#test/support/indexing.ts'
import { indexInShards } from '#test/support/sharding.ts'

const evenly = (size: number, count: number) => planShards(size, { count })

describe('the shards of a file', () => {
  test.each(fixtures)('$name: merged, they are what one pass gives', ({ path, format }) => {
    const file = new Uint8Array(readFileSync(path))
    for (const wanted of indexKinds[format]) {
      let whole
      try {
        whole = indexInChunks(createFileIndexer(wanted), file)
      } catch {
        // A file that cannot have this kind.
        expect(errorOf(() => indexInShards(file, evenly(file.length, 3), { wanted }))).toBeDefined()
        continue
      }
      for (const count of [2, 9])
        expect(indexInShards(file, evenly(file.length, count), { wanted }).file).toEqual(whole)
    }
  })

  test.each(refusedFixtures)('$name is refused: $shows', ({ path, code }) => {
    const file = new Uint8Array(readFileSync(path))
    const whole = errorOf(() => indexInChunks(createFileIndexer(), file))!
    expect(whole.code).toBe(code)
    for (const count of [2, 9])
      expect(errorOf(() => indexInShards(file, evenly(file.length, count)))?.toReport()).toEqual(
        whole.toReport(),
      )
  })
})
