import { createHash, randomBytes } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { crc64nvme, writeCrc64nvme } from '#shared/bytes/crc64nvme.ts'
import type { ObjectInfo, ObjectStore } from '#shared/vault/ports/ObjectStore.ts'

const text = (s: string) => new TextEncoder().encode(s)
const collect = async (chunks: AsyncIterable<Uint8Array>) => {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}
const keysOf = async (objects: AsyncIterable<ObjectInfo>) => {
  const keys: string[] = []
  for await (const { key } of objects) keys.push(key)
  return keys
}
const code = (value: string) => expect.objectContaining({ name: 'HtsvaultError', code: value }) as unknown

export interface ContractOptions {
  /** False for a stand-in of a service that ignores that condition there. */
  readonly ifMatchOnLargeUploads?: boolean
  /** False for a stand-in that breaks down over a part of an upload that has ended. */
  readonly partsOfEndedUploads?: boolean
  /** False for a stand-in of a service that copies a part of whatever is there. */
  readonly ifMatchOnCopies?: boolean
  /** False for a stand-in that refuses that condition there. */
  readonly ifMatchOnDeletes?: boolean
  /** False for a stand-in that does not tell the sums of parts, or not CRC-64/NVME. */
  readonly sumsOfParts?: boolean
}

/**
 * Declares the tests that every ObjectStore passes, inside the caller's `describe`.
 *
 * @param open gives the store; called once a test. Tests keep to names of their own, so it may be the same bucket.
 */
export function objectStoreContract(
  open: () => ObjectStore | Promise<ObjectStore>,
  options: ContractOptions = {},
): void {
  const { ifMatchOnLargeUploads = true, partsOfEndedUploads = true } = options
  const { ifMatchOnCopies = true, ifMatchOnDeletes = true, sumsOfParts = true } = options
  let count = 0
  const lateParts = partsOfEndedUploads ? code('UPLOAD_ENDED') : code('STORE_UNAVAILABLE')
  /** A store, and the beginning of the keys of one test. */
  const start = async () => {
    count += 1
    return { store: await open(), base: `contract/${process.pid}-${count}` }
  }
  const bytes = text('0123456789')

  test('what was put is there, whole and by exact ranges', async () => {
    const { store, base } = await start()
    const key = `${base}/x.bam`
    const put = await store.put(key, bytes)
    expect(put).toMatchObject({ key, size: 10 })
    expect(put.etag).not.toBe('')
    const head = await store.head(key)
    expect(head).toMatchObject({ key, size: 10, etag: put.etag })
    expect(head!.modified.getTime()).toBeGreaterThan(Date.parse('2020-01-01'))
    const got = await store.get(key, 10)
    expect(Buffer.from(got!.bytes).toString()).toBe('0123456789')
    expect(got!.info).toMatchObject({ key, size: 10, etag: put.etag })
    for (const [from, to] of [
      [0, 10],
      [0, 1],
      [9, 10],
      [3, 7],
      [4, 4],
      [10, 10],
    ] as const) {
      const expected = '0123456789'.slice(from, to)
      expect(Buffer.from(await store.read(key, from, to)).toString()).toBe(expected)
      expect((await collect(store.stream(key, from, to))).toString()).toBe(expected)
    }
  })

  test('a range outside the object is refused, never shortened', async () => {
    const { store, base } = await start()
    const key = `${base}/x`
    await store.put(key, bytes)
    for (const [from, to] of [
      [0, 11],
      [10, 11],
      [11, 11],
      [-1, 4],
      [5, 4],
    ] as const) {
      await expect(store.read(key, from, to)).rejects.toEqual(code('RANGE_OUTSIDE_FILE'))
      await expect(collect(store.stream(key, from, to))).rejects.toEqual(code('RANGE_OUTSIDE_FILE'))
    }
  })

  test('absence is a value where an object is looked for, an error where it is read', async () => {
    const { store, base } = await start()
    const key = `${base}/nothing/here`
    expect(await store.head(key)).toBeUndefined()
    expect(await store.get(key, 10)).toBeUndefined()
    expect(await keysOf(store.list(`${base}/`))).toEqual([])
    await expect(store.read(key, 0, 1)).rejects.toEqual(code('OBJECT_GONE'))
    await expect(store.read(key, 0, 1, '"some"')).rejects.toEqual(code('OBJECT_GONE'))
    await expect(collect(store.stream(key, 0, 1, '"some"'))).rejects.toEqual(code('OBJECT_GONE'))
    expect(await store.delete(key)).toBe(true)
    if (ifMatchOnDeletes) expect(await store.delete(key, '"some"')).toBe(true)
  })

  test('an object larger than asked for is not read', async () => {
    const { store, base } = await start()
    await store.put(`${base}/x`, bytes)
    await expect(store.get(`${base}/x`, 9)).rejects.toEqual(code('OBJECT_TOO_LARGE'))
  })

  test('an empty object is an object', async () => {
    const { store, base } = await start()
    const key = `${base}/empty`
    expect(await store.put(key, new Uint8Array())).toMatchObject({ size: 0 })
    expect((await store.get(key, 0))!.bytes).toHaveLength(0)
    expect(await store.read(key, 0, 0)).toHaveLength(0)
    await expect(store.read(key, 0, 1)).rejects.toEqual(code('RANGE_OUTSIDE_FILE'))
    const upload = await store.create(`${base}/empty too`)
    expect(await upload.complete()).toMatchObject({ size: 0 })
    expect(await store.head(`${base}/empty too`)).toMatchObject({ size: 0 })
  })

  test('a read with an etag gives that version or none', async () => {
    const { store, base } = await start()
    const key = `${base}/x`
    const first = await store.put(key, text('first'))
    expect(Buffer.from(await store.read(key, 0, 5, first.etag)).toString()).toBe('first')
    const second = await store.put(key, text('other'))
    expect(second.etag).not.toBe(first.etag)
    await expect(store.read(key, 0, 5, first.etag)).rejects.toEqual(code('OBJECT_CHANGED'))
    await expect(store.read(key, 2, 2, first.etag)).rejects.toEqual(code('OBJECT_CHANGED'))
    await expect(collect(store.stream(key, 0, 5, first.etag))).rejects.toEqual(code('OBJECT_CHANGED'))
    expect((await collect(store.stream(key, 0, 5, second.etag))).toString()).toBe('other')
  })

  test('every version of the same length has an etag of its own', async () => {
    const { store, base } = await start()
    const etags = new Set<string>()
    for (let i = 0; i < 5; i++) etags.add((await store.put(`${base}/x`, text(`version ${i}`))).etag)
    expect(etags.size).toBe(5)
  })

  test('ifAbsent and ifMatch write only where they hold', async () => {
    const { store, base } = await start()
    const key = `${base}/x`
    await expect(store.put(key, bytes, { ifMatch: '"0"' })).rejects.toEqual(code('PRECONDITION_FAILED'))
    expect(await store.head(key)).toBeUndefined()
    const first = await store.put(key, text('first'), { ifAbsent: true })
    await expect(store.put(key, text('again'), { ifAbsent: true })).rejects.toEqual(
      code('PRECONDITION_FAILED'),
    )
    const second = await store.put(key, text('second'), { ifMatch: first.etag })
    await expect(store.put(key, text('late'), { ifMatch: first.etag })).rejects.toEqual(
      code('PRECONDITION_FAILED'),
    )
    expect((await store.head(key))!.etag).toBe(second.etag)
    expect(Buffer.from((await store.get(key, 100))!.bytes).toString()).toBe('second')
  })

  test('of many that put at once if absent, one wins', async () => {
    const { store, base } = await start()
    const outcomes = await Promise.allSettled(
      Array.from({ length: 6 }, (_, i) => store.put(`${base}/x`, text(`writer ${i}`), { ifAbsent: true })),
    )
    expect(outcomes.filter(o => o.status === 'fulfilled')).toHaveLength(1)
    for (const o of outcomes)
      if (o.status === 'rejected') expect(o.reason).toEqual(code('PRECONDITION_FAILED'))
    const winner = outcomes.findIndex(o => o.status === 'fulfilled')
    expect(Buffer.from((await store.get(`${base}/x`, 100))!.bytes).toString()).toBe(`writer ${winner}`)
  })

  test('of many that replace the same version at once, one wins', async () => {
    const { store, base } = await start()
    const { etag } = await store.put(`${base}/x`, text('the first'))
    const outcomes = await Promise.allSettled(
      Array.from({ length: 6 }, (_, i) => store.put(`${base}/x`, text(`writer ${i}.`), { ifMatch: etag })),
    )
    expect(outcomes.filter(o => o.status === 'fulfilled')).toHaveLength(1)
    for (const o of outcomes)
      if (o.status === 'rejected') expect(o.reason).toEqual(code('PRECONDITION_FAILED'))
  })

  test('an upload is seen when it is complete, not before', async () => {
    const { store, base } = await start()
    const key = `${base}/x`
    const upload = await store.create(key)
    await upload.write(text('01234'))
    expect(await store.head(key)).toBeUndefined()
    expect(await keysOf(store.list(`${base}/`))).toEqual([])
    await upload.write(text('56789'))
    const info = await upload.complete()
    expect(info).toMatchObject({ key, size: 10 })
    expect(await store.head(key)).toMatchObject({ size: 10, etag: info.etag })
    await upload.abort()
    expect(Buffer.from(await store.read(key, 0, 10, info.etag)).toString()).toBe('0123456789')
    await expect(upload.write(bytes)).rejects.toEqual(code('UPLOAD_ENDED'))
    await expect(upload.complete()).rejects.toEqual(code('UPLOAD_ENDED'))
  })

  test('an aborted upload leaves what was there', async () => {
    const { store, base } = await start()
    const key = `${base}/x`
    const before = await store.put(key, bytes)
    const upload = await store.create(key)
    await upload.write(text('something else'))
    await upload.abort()
    await upload.abort()
    expect((await store.head(key))!.etag).toBe(before.etag)
    expect(await keysOf(store.list(`${base}/`))).toEqual([key])
    await expect(upload.complete()).rejects.toEqual(code('UPLOAD_ENDED'))
  })

  test('an upload of 10 MB comes back as it was, whatever the chunks', async () => {
    const { store, base } = await start()
    const key = `${base}/large.bam`
    const large = randomBytes(10_000_001)
    const upload = await store.create(key)
    for (let at = 0, size = 1; at < large.length; at += size, size = (size * 7) % 1_500_007) {
      const chunk = new Uint8Array(large.subarray(at, at + size))
      await upload.write(chunk)
      // The store keeps nothing of a chunk that it has taken.
      chunk.fill(0)
    }
    const info = await upload.complete({ ifAbsent: true })
    expect(info).toMatchObject({ size: large.length, crc64nvme: writeCrc64nvme(crc64nvme(large)) })
    const sha = createHash('sha256')
    for await (const chunk of store.stream(key, 0, large.length, info.etag)) sha.update(chunk)
    expect(sha.digest('hex')).toBe(createHash('sha256').update(large).digest('hex'))
    expect(
      large.subarray(8_388_600, 8_388_700).equals(await store.read(key, 8_388_600, 8_388_700, info.etag)),
    ).toBe(true)
  })

  test('a large upload completes only where its condition holds, and is gone where not', async () => {
    const { store, base } = await start()
    const key = `${base}/x`
    const large = randomBytes(9_000_000)
    const before = await store.put(key, bytes)
    const upload = async () => {
      const started = await store.create(key)
      await started.write(large)
      return started
    }
    const absent = await upload()
    await expect(absent.complete({ ifAbsent: true })).rejects.toEqual(code('PRECONDITION_FAILED'))
    expect((await store.head(key))!.etag).toBe(before.etag)
    const matching = await upload()
    const after = await matching.complete({ ifMatch: before.etag })
    expect(after.size).toBe(large.length)
    if (!ifMatchOnLargeUploads) return
    const late = await upload()
    await expect(late.complete({ ifMatch: before.etag })).rejects.toEqual(code('PRECONDITION_FAILED'))
    expect((await store.head(key))!.etag).toBe(after.etag)
    await expect(late.complete()).rejects.toEqual(code('UPLOAD_ENDED'))
  })

  test('parts come in any order, and twice; nobody sees the object before it is complete', async () => {
    const { store, base } = await start()
    const key = `${base}/by/parts.bam`
    const upload = await store.parts.begin(key)
    const sizes = [6_000_000, 5_300_000, 17]
    const partOf = (number: number, offset: number, size: number) => {
      const content = randomBytes(size)
      return { number, offset, bytes: content, crc64nvme: crc64nvme(content) }
    }
    const parts = sizes.map((size, i) =>
      partOf(
        i + 1,
        sizes.slice(0, i).reduce((sum, n) => sum + n, 0),
        size,
      ),
    )
    const whole = { parts: 3, size: 11_300_017 }
    await store.parts.put(key, upload, parts[2]!)
    await store.parts.put(key, upload, partOf(1, 0, 6_000_000))
    await expect(store.parts.complete(key, upload, whole)).rejects.toEqual(code('UPLOAD_INCOMPLETE'))
    await Promise.all([parts[0]!, parts[1]!].map(part => store.parts.put(key, upload, part)))
    expect(await store.head(key)).toBeUndefined()
    expect(await keysOf(store.list(`${base}/`))).toEqual([])
    const info = await store.parts.complete(key, upload, whole, { ifAbsent: true })
    expect(info).toMatchObject({ key, size: whole.size })
    expect((await store.head(key))!.etag).toBe(info.etag)
    const expected = Buffer.concat(parts.map(part => part.bytes))
    expect(expected.equals(await store.read(key, 0, whole.size, info.etag))).toBe(true)
    const sum = sumsOfParts ? writeCrc64nvme(crc64nvme(expected)) : undefined
    expect(info.crc64nvme).toBe(sum)
    expect(await store.parts.sumOf(key, info.etag)).toBe(sum)
    await expect(store.parts.put(key, upload, parts[0]!)).rejects.toEqual(lateParts)
    await store.parts.abort(key, upload)
    expect((await store.head(key))!.etag).toBe(info.etag)
  })

  test('a part can be copied of what is stored, of that version alone', async () => {
    const { store, base } = await start()
    const source = randomBytes(17_000_000)
    const key = `${base}/a b+ü/copied`
    const { etag } = await store.put(`${base}/source of ü`, source)
    const upload = await store.parts.begin(key)
    const lead = text('before')
    const copy = (number: number, offset: number, range: readonly [number, number], more = {}) => {
      const [from, to] = range
      const sum = crc64nvme(source.subarray(from, to))
      const bytes = { store, key: `${base}/source of ü`, start: from, end: to, etag, crc64nvme: sum, ...more }
      return store.parts.copy(key, upload, { number, offset, from: bytes, ...(number === 1 && { lead }) })
    }
    const second = 5_600_000
    await copy(3, 6 + second + 5_300_000 - 3, [second + 5_300_000, source.length])
    await copy(1, 0, [3, second])
    await copy(2, 6 + second - 3, [second, second + 5_300_000])
    // Again, as somebody does whose answer was lost.
    await copy(2, 6 + second - 3, [second, second + 5_300_000])
    for (const number of [1, 2]) {
      await expect(copy(number, 0, [3, second], { key: `${base}/none` })).rejects.toEqual(code('OBJECT_GONE'))
      if (number === 1 || ifMatchOnCopies)
        await expect(copy(number, 0, [3, second], { etag: '"other"' })).rejects.toEqual(
          code('OBJECT_CHANGED'),
        )
    }
    await copy(2, 6 + second - 3, [second, second + 5_300_000])
    await expect(copy(1, 0, [3, second], { crc64nvme: 1n })).rejects.toEqual(code('STORE_UNAVAILABLE'))
    await copy(1, 0, [3, second])
    const whole = Buffer.concat([lead, source.subarray(3)])
    const info = await store.parts.complete(key, upload, { parts: 3, size: whole.length }, { ifAbsent: true })
    expect(info.crc64nvme).toBe(sumsOfParts ? writeCrc64nvme(crc64nvme(whole)) : undefined)
    expect(whole.equals(await store.read(key, 0, whole.length, info.etag))).toBe(true)
  })

  test('an upload by parts that is aborted is gone; a condition that fails writes nothing', async () => {
    const { store, base } = await start()
    const key = `${base}/x`
    const content = randomBytes(1000)
    const part = { number: 1, offset: 0, bytes: content, crc64nvme: crc64nvme(content) }
    const aborted = await store.parts.begin(key)
    await store.parts.put(key, aborted, part)
    await store.parts.abort(key, aborted)
    await store.parts.abort(key, aborted)
    await expect(store.parts.put(key, aborted, part)).rejects.toEqual(lateParts)
    const whole = { parts: 1, size: 1000 }
    await expect(store.parts.complete(key, aborted, whole)).rejects.toEqual(code('UPLOAD_ENDED'))
    expect(await keysOf(store.list(`${base}/`))).toEqual([])

    const upload = await store.parts.begin(key)
    await store.parts.put(key, upload, part)
    const there = await store.put(key, bytes)
    await expect(store.parts.complete(key, upload, whole, { ifAbsent: true })).rejects.toEqual(
      code('PRECONDITION_FAILED'),
    )
    expect((await store.head(key))!.etag).toBe(there.etag)
    await store.parts.abort(key, upload)
  })

  test('uploads to one key at once do not mix', async () => {
    const { store, base } = await start()
    const key = `${base}/x`
    const contents = ['a', 'b', 'c'].map(letter => text(letter.repeat(1000)))
    const uploads = await Promise.all(contents.map(() => store.create(key)))
    for (let part = 0; part < 10; part++)
      await Promise.all(uploads.map((u, i) => u.write(contents[i]!.subarray(part * 100, part * 100 + 100))))
    await Promise.all(uploads.map(u => u.complete()))
    const { bytes: last } = (await store.get(key, 2000))!
    expect(contents.map(c => Buffer.from(c).toString())).toContain(Buffer.from(last).toString())
  })

  test('stored bytes can be appended, of that version alone', async () => {
    const { store, base } = await start()
    const large = randomBytes(20_000_001)
    const { etag } = await store.put(`${base}/a b+ü/source`, large)
    const source = { store, key: `${base}/a b+ü/source`, etag }
    const sizes = [0, 10, 5_000_000, large.length - 3]
    for (const size of sizes) {
      const upload = await store.create(`${base}/${size}`)
      // Without it, the bytes are read and written by whoever has them.
      if (!upload.append) return upload.abort()
      await upload.write(text('before'))
      const bytes = large.subarray(3, 3 + size)
      await upload.append({ ...source, start: 3, end: 3 + size, crc64nvme: crc64nvme(bytes) })
      await expect(upload.write(text('after'))).rejects.toEqual(code('UPLOAD_ENDED'))
      const info = await upload.complete({ ifAbsent: true })
      const whole = Buffer.concat([text('before'), bytes])
      expect(info).toMatchObject({ size: whole.length, crc64nvme: writeCrc64nvme(crc64nvme(whole)) })
      expect(whole.equals(await store.read(info.key, 0, whole.length, info.etag))).toBe(true)
    }
    for (const lost of [{ etag: '"other"' }, { key: `${base}/none` }]) {
      const upload = await store.create(`${base}/x`)
      await upload.write(text('before'))
      const append = async () => {
        await upload.append!({ ...source, start: 0, end: large.length, crc64nvme: 0n, ...lost })
        await upload.complete()
      }
      await expect(append()).rejects.toEqual(code(lost.key === undefined ? 'OBJECT_CHANGED' : 'OBJECT_GONE'))
      await upload.abort()
      expect(await store.head(`${base}/x`)).toBeUndefined()
    }
  })

  test('a stream can be left early, and the object used on', async () => {
    const { store, base } = await start()
    const key = `${base}/x`
    await store.put(key, randomBytes(4_000_000))
    for (let i = 0; i < 3; i++)
      for await (const chunk of store.stream(key, 0, 4_000_000)) {
        expect(chunk.length).toBeGreaterThan(0)
        break
      }
    expect(await store.delete(key)).toBe(true)
    expect(await store.head(key)).toBeUndefined()
  })

  if (ifMatchOnDeletes)
    test('delete with ifMatch takes that version only', async () => {
      const { store, base } = await start()
      const key = `${base}/x`
      const first = await store.put(key, text('first'))
      const second = await store.put(key, text('second'))
      expect(await store.delete(key, first.etag)).toBe(false)
      expect((await store.head(key))!.etag).toBe(second.etag)
      expect(await store.delete(key, second.etag)).toBe(true)
      expect(await store.head(key)).toBeUndefined()
    })

  test('a list is in the order of UTF-8 bytes, by prefix, with any name', async () => {
    const { store, base } = await start()
    const names = [
      'a b/with space.bam',
      'a+b%20c/100%.vcf.gz',
      'a.b',
      'a/b',
      'a/b-c',
      'a/b.c',
      'a0',
      'a=b&c;d,e@f:g!$',
      'dots...in..it',
      'quote\'s (and) [brackets] {x} ~^`|<>"',
      'z',
      'ä/ö.bam',
      '\u{ff5e}',
      '\u{1f9ec}/dna.cram',
    ]
    const sorted = [...names].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)))
    await Promise.all(names.map(name => store.put(`${base}/${name}`, text(name))))
    expect(await keysOf(store.list(`${base}/`))).toEqual(sorted.map(name => `${base}/${name}`))
    for (const prefix of ['a', 'a/', 'a/b', 'a/b.', 'a+b%20c/1', 'ä/', '\u{1f9ec}', 'no'])
      expect(await keysOf(store.list(`${base}/${prefix}`))).toEqual(
        sorted.filter(name => name.startsWith(prefix)).map(name => `${base}/${name}`),
      )
    for (const name of names) {
      const got = await store.get(`${base}/${name}`, 100)
      expect(Buffer.from(got!.bytes).toString()).toBe(name)
    }
    for await (const info of store.list(`${base}/a/`))
      expect(info).toEqual({ ...(await store.head(info.key))!, modified: expect.any(Date) })
  })

  test('a list can be left early', async () => {
    const { store, base } = await start()
    await Promise.all(['1', '2', '3'].map(name => store.put(`${base}/${name}`, bytes)))
    for await (const { key } of store.list(`${base}/`)) {
      expect(key).toBe(`${base}/1`)
      break
    }
  })

  test('a key that no store can hold is refused', async () => {
    const { store } = await start()
    for (const key of ['', 'x'.repeat(1025), 'ä'.repeat(513)]) {
      await expect(store.put(key, bytes)).rejects.toEqual(code('INVALID_KEY'))
      await expect(store.head(key)).rejects.toEqual(code('INVALID_KEY'))
    }
  })
}
