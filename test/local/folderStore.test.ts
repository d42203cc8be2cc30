import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { execFileSync } from 'node:child_process'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { folderStore } from '#shared/local/folderStore.ts'
import { objectStoreContract } from '#test/support/contract/objectStore.ts'

const scratch = mkdtempSync(join(tmpdir(), 'htsvault-'))
afterAll(() => rmSync(scratch, { recursive: true }))
const newFolder = () => mkdtempSync(join(scratch, 'f-'))
const bytes = new TextEncoder().encode('0123456789')
const code = (value: string) => expect.objectContaining({ name: 'HtsvaultError', code: value }) as unknown
const keysOf = async (dir: string) => {
  const keys: string[] = []
  for await (const { key } of folderStore(dir).list('')) keys.push(key)
  return keys
}
/** Everything in a folder, the hidden included, but for empty folders. */
const filesBelow = (dir: string) =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory())
    .map(entry => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .sort()

describe('the folder store', () => {
  objectStoreContract(() => folderStore(newFolder()))
})

describe('a folder in the place of a bucket', () => {
  test.each([
    '/x',
    'x/',
    'a//b',
    '.',
    '..',
    'a/../../x',
    './x',
    '.tmp/x',
    'a/.hidden',
    'a\\b',
    'a\0b',
    'a\nb',
    'a/\ud800',
    `a/${'x'.repeat(256)}`,
  ])('refuses the key %j in every call', async key => {
    const store = folderStore(newFolder())
    const refusal = code('INVALID_KEY')
    await expect(store.head(key)).rejects.toEqual(refusal)
    await expect(store.get(key, 1)).rejects.toEqual(refusal)
    await expect(store.read(key, 0, 1)).rejects.toEqual(refusal)
    await expect(store.put(key, bytes)).rejects.toEqual(refusal)
    await expect(store.create(key)).rejects.toEqual(refusal)
    await expect(store.delete(key)).rejects.toEqual(refusal)
  })

  test('a prefix does not leave the folder', async () => {
    const dir = newFolder()
    writeFileSync(join(dir, 'outside'), 'x')
    mkdirSync(join(dir, 'store'))
    writeFileSync(join(dir, 'store', 'inside'), 'x')
    const store = folderStore(join(dir, 'store'))
    for (const prefix of ['../', '../o', '/', './', 'a/../../', `${dir}/`, 'a\0/'])
      for await (const { key } of store.list(prefix)) throw new Error(`${key} was listed for ${prefix}`)
  })

  test('nothing behind a symbolic link is read, listed, written or deleted', async () => {
    const dir = newFolder()
    const outside = join(dir, 'outside')
    const inside = join(dir, 'store')
    mkdirSync(outside)
    mkdirSync(inside)
    writeFileSync(join(outside, 'secret'), 'secret')
    symlinkSync(outside, join(inside, 'folder'))
    symlinkSync(join(outside, 'secret'), join(inside, 'file'))
    const store = folderStore(inside)
    for (const key of ['folder/secret', 'file']) {
      expect(await store.head(key)).toBeUndefined()
      expect(await store.get(key, 10)).toBeUndefined()
      await expect(store.read(key, 0, 1)).rejects.toEqual(code('OBJECT_GONE'))
      await store.delete(key)
    }
    await expect(store.put('folder/new', bytes)).rejects.toEqual(code('INVALID_KEY'))
    await expect(store.put('folder/deep/new', bytes)).rejects.toEqual(code('INVALID_KEY'))
    expect(await keysOf(inside)).toEqual([])
    expect(filesBelow(outside)).toEqual(['secret'])
    // A link is replaced by an object, what it points to stays.
    await store.put('file', bytes)
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret')
    expect(await store.head('file')).toMatchObject({ size: 10 })
  })

  test('the folder itself may be reached through a link', async () => {
    const dir = newFolder()
    mkdirSync(join(dir, 'real'))
    symlinkSync(join(dir, 'real'), join(dir, 'link'))
    await folderStore(join(dir, 'link')).put('a/x', bytes)
    expect(await keysOf(join(dir, 'real'))).toEqual(['a/x'])
  })

  test('hidden files, folders and pipes are not objects', async () => {
    const dir = newFolder()
    mkdirSync(join(dir, 'demo', '.snapshot'), { recursive: true })
    writeFileSync(join(dir, 'demo', '.snapshot', 'x'), 'x')
    writeFileSync(join(dir, 'demo', '.x.bam.Gh3kq1'), 'x')
    writeFileSync(join(dir, 'demo', 'x.bam'), 'x')
    writeFileSync(join(dir, 'demo', 'a\nb'), 'x')
    writeFileSync(join(dir, 'demo', 'a\\b'), 'x')
    execFileSync('mkfifo', [join(dir, 'demo', 'pipe')])
    expect(await keysOf(dir)).toEqual(['demo/x.bam'])
    const store = folderStore(dir)
    expect(await store.head('demo')).toBeUndefined()
    expect(await store.get('demo', 10)).toBeUndefined()
    expect(await store.get('demo/pipe', 10)).toBeUndefined()
    await expect(store.read('demo/pipe', 0, 1)).rejects.toEqual(code('OBJECT_GONE'))
  })

  test('an object and a folder of the same name are refused', async () => {
    const dir = newFolder()
    const store = folderStore(dir)
    await store.put('a', bytes)
    await expect(store.put('a/b', bytes)).rejects.toEqual(code('INVALID_KEY'))
    await store.put('c/d', bytes)
    await expect(store.put('c', bytes)).rejects.toEqual(code('INVALID_KEY'))
    await expect(store.put('c', bytes, { ifAbsent: true })).rejects.toEqual(
      expect.objectContaining({ name: 'HtsvaultError' }),
    )
    expect(await store.head('a/b')).toBeUndefined()
    expect(filesBelow(dir)).toEqual(['a', 'c/d'])
  })

  test('nothing unfinished is left by a failure or an abort', async () => {
    const dir = newFolder()
    const store = folderStore(dir)
    await store.put('x', bytes, { ifAbsent: true })
    await expect(store.put('x', bytes, { ifAbsent: true })).rejects.toEqual(code('PRECONDITION_FAILED'))
    await expect(store.put('x', bytes, { ifMatch: 'other' })).rejects.toEqual(code('PRECONDITION_FAILED'))
    const upload = await store.create('y')
    await upload.write(new Uint8Array(3_000_000))
    await upload.abort()
    expect(filesBelow(dir)).toEqual(['x'])
  })

  test('what a crash left is removed at the next start, what others are writing is not', async () => {
    const dir = newFolder()
    const living = await folderStore(dir).create('living')
    await living.write(bytes)
    // No process has this id: Linux gives none above 2^22.
    const dead = `${hostname()},99999999,crashed`
    const elsewhere = 'another-host,1,working'
    const former = `${hostname()},${process.pid},a process of the same id before a restart`
    for (const area of [dead, elsewhere, former]) {
      mkdirSync(join(dir, '.tmp', area))
      writeFileSync(join(dir, '.tmp', area, 'unfinished'), 'x')
    }
    folderStore(dir)
    const areas = readdirSync(join(dir, '.tmp'))
    expect(areas).not.toContain(dead)
    expect(areas).not.toContain(former)
    expect(areas).toContain(elsewhere)
    await living.complete()
    expect(await keysOf(dir)).toEqual(['living'])
  })

  test('reading makes nothing, and so needs no right to write', async () => {
    const dir = newFolder()
    writeFileSync(join(dir, 'x'), '0123456789')
    const store = folderStore(dir)
    await store.read('x', 0, 10)
    expect(await keysOf(dir)).toEqual(['x'])
    expect(readdirSync(dir)).toEqual(['x'])
  })

  test('a copy that keeps the times is the same version, a change in place another', async () => {
    const dir = newFolder()
    const { etag } = await folderStore(dir).put('demo/x', bytes)
    const copy = join(dir, '..', `copy-${process.pid}`)
    execFileSync('cp', ['-a', dir, copy])
    const store = folderStore(copy)
    expect((await store.head('demo/x'))!.etag).toBe(etag)
    writeFileSync(join(copy, 'demo', 'x'), '9876543210')
    expect((await store.head('demo/x'))!.etag).not.toBe(etag)
    await expect(store.read('demo/x', 0, 10, etag)).rejects.toEqual(code('OBJECT_CHANGED'))
  })

  test('a file that is changed in place under a stream is noticed', async () => {
    const dir = newFolder()
    writeFileSync(join(dir, 'x'), new Uint8Array(5_000_000))
    const store = folderStore(dir)
    const { etag, size } = (await store.head('x'))!
    const change = async () => {
      let seen = 0
      for await (const chunk of store.stream('x', 0, size, etag)) {
        if (seen === 0) writeFileSync(join(dir, 'x'), new Uint8Array(5_000_001).fill(1))
        seen += chunk.length
      }
    }
    await expect(change()).rejects.toEqual(code('OBJECT_CHANGED'))
  })

  test('a file that shrinks under a stream ends it in an error', async () => {
    const dir = newFolder()
    writeFileSync(join(dir, 'x'), new Uint8Array(5_000_000))
    const store = folderStore(dir)
    const shrink = async () => {
      for await (const chunk of store.stream('x', 0, 5_000_000))
        if (chunk.length > 0) writeFileSync(join(dir, 'x'), 'short')
    }
    await expect(shrink()).rejects.toEqual(code('SHORT_READ'))
  })

  test('a reader keeps the version that it opened', async () => {
    const store = folderStore(newFolder())
    const { etag } = await store.put('x', new Uint8Array(5_000_000))
    let sum = 0
    let size = 0
    for await (const chunk of store.stream('x', 0, 5_000_000, etag)) {
      if (size === 0) await store.put('x', new Uint8Array(5_000_000).fill(1))
      size += chunk.length
      for (const byte of chunk) sum += byte
    }
    expect([size, sum]).toEqual([5_000_000, 0])
  })

  test('a file in the place of the folder is refused', () => {
    const dir = newFolder()
    writeFileSync(join(dir, 'file'), '')
    expect(() => folderStore(join(dir, 'file'))).toThrow(expect.objectContaining({ name: 'HtsvaultError' }))
  })
})
