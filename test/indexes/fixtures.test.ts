import { readFile } from 'node:fs/promises'
import { describe, expect, test } from '@jest/globals'
import { HtsvaultError } from '#shared/errors.ts'
import { createFileIndexer } from '#shared/indexes/createFileIndexer.ts'
import type { IndexedFile } from '#shared/indexes/FileIndexer.ts'
import { fixtures, refusedFixtures } from '#test/fixtures/index.ts'

async function index(path: string, chunkSize: number): Promise<IndexedFile> {
  const bytes = await readFile(path)
  const indexer = createFileIndexer()
  for (let at = 0; at < bytes.length; at += chunkSize) indexer.push(bytes.subarray(at, at + chunkSize))
  return indexer.finish()
}

describe('indexing the fixtures', () => {
  test.each(fixtures)('$name is taken: $shows', async fixture => {
    const whole = await index(fixture.path, 1 << 24)
    expect({ format: whole.format, index: whole.index.kind }).toEqual({
      format: fixture.format,
      index: fixture.index,
    })
    expect(await index(fixture.path, 997)).toEqual(whole)
  })

  test.each(refusedFixtures)('$name is refused with $code: $shows', async ({ path, code }) => {
    for (const chunkSize of [1 << 24, 997]) {
      const refusal = await index(path, chunkSize).then(
        () => undefined,
        (error: unknown) => error,
      )
      expect(refusal).toBeInstanceOf(HtsvaultError)
      expect((refusal as HtsvaultError).code).toBe(code)
    }
  })
})
