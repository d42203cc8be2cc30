import type { FileHandle } from 'node:fs/promises'
import { describe, expect, test } from '@jest/globals'
import { folderUpload } from '#shared/local/folderUpload.ts'

const chunk = new Uint8Array(1 << 20)

/** A file that takes anything, and a disk that does what is told. */
function upload(datasync: () => Promise<void>) {
  const seen: string[] = []
  const handle = {
    write: async (_bytes: Uint8Array, _at: number, length: number) => ({ bytesWritten: length }),
    datasync: async () => {
      seen.push('begun')
      await datasync()
      seen.push('synced')
    },
    close: async () => void seen.push('closed'),
  } as unknown as FileHandle
  const ends = {
    publish: async () => {
      seen.push('published')
      return { key: 'x', size: 0, etag: 'e', modified: new Date(0) }
    },
    discard: async () => void seen.push('discarded'),
  }
  return { seen, upload: folderUpload('x', handle, ends) }
}

/** As `upload`, on a disk that is done when it is told to be. */
function slowUpload() {
  let finish: () => void = () => undefined
  return { ...upload(() => new Promise(resolve => (finish = resolve))), finish: () => finish() }
}

async function write(to: ReturnType<typeof upload>['upload'], megabytes: number): Promise<void> {
  for (let i = 0; i < megabytes; i++) await to.write(chunk)
}

describe('a large file', () => {
  test('has the disk begin every 64 MiB, and is published when all of that is done', async () => {
    const { seen, upload: large, finish } = slowUpload()
    await write(large, 65)
    expect(seen).toEqual(['begun'])
    const completed = large.complete()
    await new Promise(setImmediate)
    expect(seen).toEqual(['begun'])
    finish()
    await completed
    expect(seen).toEqual(['begun', 'synced', 'published', 'closed'])
  })

  test('is not published where the disk failed on the way', async () => {
    const { seen, upload: large } = upload(() =>
      Promise.reject(Object.assign(new Error('disk'), { code: 'EIO' })),
    )
    await write(large, 70)
    await expect(large.complete()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(seen).toEqual(['begun', 'discarded', 'closed'])
  })

  test('is closed after the disk has answered, where it is given up', async () => {
    const { seen, upload: large, finish } = slowUpload()
    await write(large, 65)
    const aborted = large.abort()
    await new Promise(setImmediate)
    expect(seen).toEqual(['begun'])
    finish()
    await aborted
    expect(seen).toEqual(['begun', 'synced', 'closed', 'discarded'])
  })
})
