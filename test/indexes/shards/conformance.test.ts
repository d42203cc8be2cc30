import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { createFileIndexer } from '#shared/indexes/createFileIndexer.ts'
import { errorOf, indexInChunks } from '#test/support/indexing.ts'
import { describeWithData, sharedData } from '#test/support/interop.ts'
import { indexInShards, rangesAt } from '#test/support/sharding.ts'

/** The index of a file, or its error. */
function outcome(work: () => unknown): unknown {
  let indexed: unknown
  return errorOf(() => (indexed = work()))?.toReport() ?? indexed
}

describe('shards of the CRAM conformance files', () => {
  describeWithData('cram/3.0')('merged, they are what one pass gives', () => {
    const folder = sharedData('cram/3.0') ?? ''
    const names = readdirSync(folder).filter(name => name.endsWith('.cram'))
    test('there are many', () => expect(names.length).toBeGreaterThan(40))

    test.each(names)('%s', name => {
      const file = new Uint8Array(readFileSync(join(folder, name)))
      const whole = outcome(() => indexInChunks(createFileIndexer(), file))
      const shares = [0.03, 0.2, 0.35, 0.5, 0.51, 0.8, 0.97]
      for (const cuts of [[0.5], shares])
        expect(
          outcome(
            () =>
              indexInShards(
                file,
                rangesAt(
                  file.length,
                  cuts.map(share => Math.floor(share * file.length)),
                ),
              ).file,
          ),
        ).toEqual(whole)
    })
  })
})
