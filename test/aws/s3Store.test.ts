import { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { mockClient } from 'aws-sdk-client-mock'
import { firstPartBytes, maxParts, partBytes } from '#shared/aws/partSizes.ts'
import { s3Store } from '#shared/aws/s3Store.ts'
import { crc64nvme, joinCrc64nvme, writeCrc64nvme } from '#shared/bytes/crc64nvme.ts'

const s3 = mockClient(S3Client)
const store = s3Store(new S3Client({ region: 'eu-central-1' }), 'vault')
beforeEach(() => {
  s3.reset()
})

const code = (value: string) => expect.objectContaining({ name: 'HtsvaultError', code: value }) as unknown
const failure = (name: string, status: number) =>
  new S3ServiceException({
    name,
    message: 'the message of the service',
    $fault: status < 500 ? 'client' : 'server',
    $metadata: { httpStatusCode: status },
  })
const listOf = async <T>(items: AsyncIterable<T>) => {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}
const collect = async (chunks: AsyncIterable<Uint8Array>) => Buffer.concat(await listOf(chunks))

/** A body as the SDK gives it: chunks, and then an error where there is one. */
function body(chunks: readonly string[], error?: Error) {
  const parts = async function* () {
    for (const chunk of chunks) yield Buffer.from(chunk)
    if (error) throw error
  }
  return Readable.from(parts(), { objectMode: false }) as never
}

describe('reading', () => {
  test('asks for the range, of the version that is wanted', async () => {
    s3.on(GetObjectCommand).resolves({ Body: body(['345']), ContentRange: 'bytes 3-5/10', ETag: '"e"' })
    expect((await store.read('a/x', 3, 6, 'e')).toString()).toBe('345')
    expect(s3.commandCalls(GetObjectCommand)[0]!.args[0].input).toEqual({
      Bucket: 'vault',
      Key: 'a/x',
      Range: 'bytes=3-5',
      IfMatch: '"e"',
    })
  })

  test('a connection that breaks is taken up where it broke, on the same version', async () => {
    const reset = Object.assign(new Error('aborted'), { code: 'ECONNRESET' })
    s3.on(GetObjectCommand)
      .resolvesOnce({ Body: body(['01', '2'], reset), ContentRange: 'bytes 0-9/10', ETag: '"e"' })
      .resolvesOnce({ Body: body(['34']), ContentRange: 'bytes 3-9/10', ETag: '"e"' })
      .resolvesOnce({ Body: body(['56789']), ContentRange: 'bytes 5-9/10', ETag: '"e"' })
    expect((await collect(store.stream('x', 0, 10))).toString()).toBe('0123456789')
    expect(s3.commandCalls(GetObjectCommand).map(call => call.args[0].input)).toMatchObject([
      { Range: 'bytes=0-9' },
      { Range: 'bytes=3-9', IfMatch: '"e"' },
      { Range: 'bytes=5-9', IfMatch: '"e"' },
    ])
  })

  test('one that always breaks ends in an error', async () => {
    const reset = new Error('aborted')
    s3.on(GetObjectCommand).callsFake(async () => ({ Body: body([], reset), ContentRange: 'bytes 0-9/10' }))
    await expect(store.read('x', 0, 10)).rejects.toEqual(code('STORE_UNAVAILABLE'))
    s3.on(GetObjectCommand).callsFake(async () => ({ Body: body([]), ContentRange: 'bytes 0-9/10' }))
    await expect(store.read('x', 0, 10)).rejects.toEqual(code('SHORT_READ'))
    expect(s3.commandCalls(GetObjectCommand)).toHaveLength(8)
  })

  test('more bytes than were asked for are not taken', async () => {
    s3.on(GetObjectCommand).resolves({ Body: body(['0123456789']), ContentRange: 'bytes 0-3/10' })
    await expect(store.read('x', 0, 4)).rejects.toEqual(code('SHORT_READ'))
  })

  test('a consumer that stops closes the connection', async () => {
    const open = body(['0123', '4567', '89']) as Readable
    s3.on(GetObjectCommand).resolves({ Body: open as never, ContentRange: 'bytes 0-9/10' })
    for await (const chunk of store.stream('x', 0, 10)) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    expect(open.destroyed).toBe(true)
    const large = body(['0123']) as Readable
    s3.on(GetObjectCommand).resolves({ Body: large as never, ContentLength: 4 })
    await expect(store.get('x', 3)).rejects.toEqual(code('OBJECT_TOO_LARGE'))
    expect(large.destroyed).toBe(true)
  })

  test.each([
    ['NoSuchKey', 404, 'OBJECT_GONE'],
    ['PreconditionFailed', 412, 'OBJECT_CHANGED'],
    ['InvalidRange', 416, 'RANGE_OUTSIDE_FILE'],
    ['NoSuchBucket', 404, 'STORE_UNAVAILABLE'],
    ['AccessDenied', 403, 'STORE_FORBIDDEN'],
    ['SlowDown', 503, 'STORE_UNAVAILABLE'],
    ['InternalError', 500, 'STORE_UNAVAILABLE'],
  ])('%s (%i) is %s, and an outage is never an absence', async (name, status, expected) => {
    s3.onAnyCommand().rejects(failure(name, status))
    await expect(store.read('x', 0, 1, 'e')).rejects.toEqual(code(expected))
    if (expected !== 'OBJECT_GONE') {
      await expect(store.head('x')).rejects.toEqual(code(expected))
      await expect(store.get('x', 10)).rejects.toEqual(code(expected))
    }
    const told = await store.read('x', 0, 1).catch((error: unknown) => String(error))
    expect(told).not.toContain('the message of the service')
  })

  test('no answer at all is an outage', async () => {
    s3.onAnyCommand().rejects(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))
    await expect(store.head('x')).rejects.toEqual(code('STORE_UNAVAILABLE'))
    await expect(store.get('x', 1)).rejects.toEqual(code('STORE_UNAVAILABLE'))
    await expect(store.put('x', Buffer.from('x'), { ifMatch: 'e' })).rejects.toEqual(
      code('STORE_UNAVAILABLE'),
    )
    await expect(store.delete('x', 'e')).rejects.toEqual(code('STORE_UNAVAILABLE'))
    await expect(listOf(store.list(''))).rejects.toEqual(code('STORE_UNAVAILABLE'))
  })
})

test('a list goes through all pages', async () => {
  s3.on(ListObjectsV2Command)
    .resolvesOnce({
      Contents: [{ Key: 'a+b%2Bc', Size: 1, ETag: '"1"' }],
      IsTruncated: true,
      NextContinuationToken: 't',
    })
    .resolvesOnce({ IsTruncated: true, NextContinuationToken: 'u' })
    .resolvesOnce({ Contents: [{ Key: 'z', Size: 2, ETag: '"2"' }], IsTruncated: false })
  const keys = (await listOf(store.list('p'))).map(info => [info.key, info.size, info.etag])
  expect(keys).toEqual([
    ['a b+c', 1, '1'],
    ['z', 2, '2'],
  ])
  expect(s3.commandCalls(ListObjectsV2Command).map(call => call.args[0].input.ContinuationToken)).toEqual([
    undefined,
    't',
    'u',
  ])
})

describe('conditional writes', () => {
  const written = () => s3.commandCalls(PutObjectCommand)[0]!.args[0].input.Metadata

  test('that met another write are tried again', async () => {
    s3.on(PutObjectCommand)
      .rejectsOnce(failure('ConditionalRequestConflict', 409))
      .rejectsOnce(failure('ConditionalRequestConflict', 409))
      .resolvesOnce({ ETag: '"e"' })
    expect((await store.put('x', Buffer.from('x'), { ifAbsent: true })).etag).toBe('e')
    expect(s3.commandCalls(PutObjectCommand)[2]!.args[0].input.IfNoneMatch).toBe('*')
  })

  test('that were made but not answered are not called lost', async () => {
    s3.on(PutObjectCommand).rejects(failure('PreconditionFailed', 412))
    s3.on(HeadObjectCommand).callsFake(async () => ({
      ContentLength: 1,
      ETag: '"ours"',
      Metadata: written(),
    }))
    expect(await store.put('x', Buffer.from('x'), { ifAbsent: true })).toMatchObject({
      etag: 'ours',
      size: 1,
    })
    s3.on(HeadObjectCommand).resolves({ ContentLength: 1, ETag: '"theirs"', Metadata: {} })
    await expect(store.put('x', Buffer.from('x'), { ifAbsent: true })).rejects.toEqual(
      code('PRECONDITION_FAILED'),
    )
  })

  test('to an object that went away fail', async () => {
    s3.on(PutObjectCommand).rejects(failure('NoSuchKey', 404))
    s3.on(HeadObjectCommand).rejects(failure('NotFound', 404))
    await expect(store.put('x', Buffer.from('x'), { ifMatch: 'e' })).rejects.toEqual(
      code('PRECONDITION_FAILED'),
    )
  })

  test.each([
    [204, true],
    [404, true],
    [412, false],
    [409, false],
  ])('delete: %i means gone: %s', async (status, gone) => {
    if (status === 204) s3.on(DeleteObjectCommand).resolves({})
    else s3.on(DeleteObjectCommand).rejects(failure('x', status))
    expect(await store.delete('x', 'e')).toBe(gone)
    expect(s3.commandCalls(DeleteObjectCommand)[0]!.args[0].input.IfMatch).toBe('"e"')
  })
})

const sumOf = (bytes: Uint8Array) => writeCrc64nvme(crc64nvme(bytes))

describe('large uploads', () => {
  const chunk = new Uint8Array(1 << 20)
  const write = async (megabytes: number, expectedBytes?: number) => {
    const upload = await store.create('x', expectedBytes)
    for (let i = 0; i < megabytes; i++) await upload.write(chunk)
    return upload
  }
  beforeEach(() => {
    s3.on(CreateMultipartUploadCommand).resolves({ UploadId: 'id' })
    s3.on(UploadPartCommand).callsFake(async ({ PartNumber }: { PartNumber: number }) => ({
      ETag: `"p${PartNumber}"`,
      ChecksumCRC64NVME: `c${PartNumber}`,
    }))
    s3.on(CompleteMultipartUploadCommand).resolves({ ETag: '"whole-3"' })
    s3.on(AbortMultipartUploadCommand).resolves({})
  })

  test('are completed under their condition, with every part and its checksum', async () => {
    const info = await (await write(17)).complete({ ifMatch: 'e' })
    expect(info).toMatchObject({ key: 'x', size: 17 << 20, etag: 'whole-3' })
    expect(s3.commandCalls(CompleteMultipartUploadCommand)[0]!.args[0].input).toEqual({
      Bucket: 'vault',
      Key: 'x',
      UploadId: 'id',
      IfMatch: '"e"',
      MultipartUpload: {
        Parts: [1, 2, 3].map(n => ({ PartNumber: n, ETag: `"p${n}"`, ChecksumCRC64NVME: `c${n}` })),
      },
      ChecksumType: 'FULL_OBJECT',
      ChecksumCRC64NVME: sumOf(new Uint8Array(17 << 20)),
      MpuObjectSize: 17 << 20,
    })
    const sizes = s3.commandCalls(UploadPartCommand).map(c => (c.args[0].input.Body as Uint8Array).length)
    expect(sizes).toEqual([8 << 20, 8 << 20, 1 << 20])
    const created = s3.commandCalls(CreateMultipartUploadCommand)[0]!.args[0].input
    expect(created).toMatchObject({ ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'FULL_OBJECT' })
    for (const { args } of s3.commandCalls(UploadPartCommand))
      expect(args[0].input.ChecksumCRC64NVME).toBe(sumOf(args[0].input.Body as Uint8Array))
  })

  describe('of what is stored already', () => {
    const inbox = s3Store(new S3Client({ region: 'eu-central-1' }), 'inbox', { owner: '123456789012' })
    const megabyte = 1 << 20
    const append = async (megabytes: number, from = inbox) => {
      s3.on(GetObjectCommand).callsFake(async ({ Range }: { Range: string }) => {
        const [start, end] = Range.slice('bytes='.length).split('-').map(Number)
        return {
          Body: body(['x'.repeat(end! + 1 - start!)]),
          ContentRange: `bytes ${start}-${end}/${megabytes * megabyte}`,
        }
      })
      s3.on(UploadPartCopyCommand).callsFake(async ({ PartNumber }: { PartNumber: number }) => ({
        CopyPartResult: { ETag: `"copy${PartNumber}"`, ChecksumCRC64NVME: `c${PartNumber}` },
      }))
      const upload = await store.create('x', megabytes * megabyte)
      await upload.write(new Uint8Array(124))
      await upload.append!({
        store: from,
        key: 'a b/ü.c4gh',
        start: 24,
        end: megabytes * megabyte,
        etag: 'e',
        crc64nvme: 5n,
      })
      return upload.complete({ ifAbsent: true })
    }

    test('S3 copies it by itself, behind a first part that begins with what was written', async () => {
      expect(await append(600)).toMatchObject({ size: 600 * megabyte + 100 })
      const first = s3.commandCalls(UploadPartCommand).map(call => call.args[0].input.Body as Uint8Array)
      expect(first.map(({ length }) => length)).toEqual([8 * megabyte])
      const copies = s3.commandCalls(UploadPartCopyCommand).map(call => call.args[0].input)
      const from = 8 * megabyte - 100
      const cuts = [from, from + 256 * megabyte, from + 512 * megabyte, 600 * megabyte]
      expect(copies).toEqual(
        [0, 1, 2].map(i => ({
          Bucket: 'vault',
          Key: 'x',
          UploadId: 'id',
          PartNumber: i + 2,
          CopySource: 'inbox/a%20b/%C3%BC.c4gh',
          CopySourceIfMatch: '"e"',
          CopySourceRange: `bytes=${cuts[i]}-${cuts[i + 1]! - 1}`,
          ExpectedSourceBucketOwner: '123456789012',
        })),
      )
      const complete = s3.commandCalls(CompleteMultipartUploadCommand)[0]!.args[0].input
      // The whole's sum by that of the source's bytes: what S3 copied is checked by it, too.
      const header = crc64nvme(new Uint8Array(124))
      expect(complete).toMatchObject({
        ChecksumType: 'FULL_OBJECT',
        ChecksumCRC64NVME: writeCrc64nvme(joinCrc64nvme(header, 5n, 600 * megabyte - 24)),
        MpuObjectSize: 600 * megabyte + 100,
      })
      const { Parts } = complete.MultipartUpload!
      expect(Parts!.map(({ ETag }) => ETag)).toEqual(['"p1"', '"copy2"', '"copy3"', '"copy4"'])
    })

    test('what is small, and what S3 does not have, goes by way of here', async () => {
      s3.on(PutObjectCommand).resolves({ ETag: '"put"' })
      await append(4)
      expect(s3.commandCalls(PutObjectCommand)).toHaveLength(1)
      await append(20, { ...inbox })
      expect(s3.commandCalls(UploadPartCopyCommand)).toEqual([])
      expect(s3.commandCalls(UploadPartCommand)).toHaveLength(3)
    })

    test('a source that changed is told as that, and nothing is left', async () => {
      s3.on(AbortMultipartUploadCommand).resolves({})
      const appending = append(600)
      s3.on(UploadPartCopyCommand).rejects(failure('PreconditionFailed', 412))
      await expect(appending).rejects.toEqual(code('OBJECT_CHANGED'))
      expect(s3.commandCalls(AbortMultipartUploadCommand)).toHaveLength(1)
    })
  })

  test('of exactly one part are a multipart upload of one', async () => {
    await (await write(8)).complete({ ifAbsent: true })
    expect(s3.commandCalls(UploadPartCommand)).toHaveLength(1)
    expect(s3.commandCalls(CompleteMultipartUploadCommand)[0]!.args[0].input.IfNoneMatch).toBe('*')
    expect(s3.commandCalls(PutObjectCommand)).toHaveLength(0)
  })

  test('have a bounded number of parts on their way', async () => {
    let under = 0
    let most = 0
    const waiting: (() => void)[] = []
    s3.on(UploadPartCommand).callsFake(async () => {
      most = Math.max(most, ++under)
      await new Promise<void>(resolve => waiting.push(resolve))
      under -= 1
      return { ETag: '"p"' }
    })
    const done = write(80).then(upload => upload.complete())
    const ended = new Set<unknown>()
    void done.then(info => ended.add(info))
    while (ended.size === 0) {
      await new Promise(resolve => setImmediate(resolve))
      waiting.shift()?.()
    }
    expect(most).toBe(3)
    expect(s3.commandCalls(UploadPartCommand)).toHaveLength(10)
  })

  test('fail where a part fails, and leave nothing', async () => {
    s3.on(UploadPartCommand).rejects(failure('SlowDown', 503))
    const failing = async () => (await write(40)).complete()
    await expect(failing()).rejects.toEqual(code('STORE_UNAVAILABLE'))
    const upload = await write(8)
    await expect(upload.complete()).rejects.toEqual(code('STORE_UNAVAILABLE'))
    expect(s3.commandCalls(CompleteMultipartUploadCommand)).toHaveLength(0)
    expect(s3.commandCalls(AbortMultipartUploadCommand)).toHaveLength(1)
  })

  test('are aborted when the last part has ended, and only once', async () => {
    const order: string[] = []
    s3.on(UploadPartCommand).callsFake(async () => {
      await new Promise(resolve => setImmediate(resolve))
      order.push('part')
      return { ETag: '"p"' }
    })
    s3.on(AbortMultipartUploadCommand).callsFake(async () => {
      order.push('abort')
      throw failure('InternalError', 500)
    })
    const upload = await write(16)
    await upload.abort()
    await upload.abort()
    expect(order).toEqual(['part', 'part', 'abort'])
  })

  test('whose completion was made but not answered are not called lost', async () => {
    s3.on(CompleteMultipartUploadCommand).rejects(failure('NoSuchUpload', 404))
    s3.on(HeadObjectCommand).callsFake(async () => ({
      ContentLength: 9 << 20,
      ETag: '"ours"',
      Metadata: s3.commandCalls(CreateMultipartUploadCommand)[0]!.args[0].input.Metadata,
    }))
    expect(await (await write(9)).complete({ ifAbsent: true })).toMatchObject({ etag: 'ours' })
    s3.on(HeadObjectCommand).rejects(failure('NotFound', 404))
    const lost = await write(9)
    await expect(lost.complete({ ifAbsent: true })).rejects.toEqual(code('STORE_UNAVAILABLE'))
  })
})

describe('the sizes of parts', () => {
  const total = (parts: number, expected?: number) => {
    let sum = 0
    for (let n = 1; n <= parts; n++) sum += partBytes(n, expected)
    return sum
  }

  test('hold 5 TiB, each of a size that S3 takes', () => {
    expect(total(maxParts)).toBeGreaterThan(5 * 2 ** 40)
    for (const expected of [0, 1, 1e9, 1e11, 1e12, 5 * 2 ** 40])
      for (const number of [1, 2, 1000, 1001, 5000, 9000, 9001, 10_000]) {
        const size = partBytes(number, expected)
        expect(Number.isInteger(size)).toBe(true)
        expect(size).toBeGreaterThanOrEqual(firstPartBytes)
        expect(size).toBeLessThanOrEqual(5 * 2 ** 30)
      }
  })

  test.each([1e9, 1e11, 1e12, 5 * 2 ** 40])('of %d bytes are even where that is known', expected => {
    const needed = Math.ceil(expected / partBytes(1, expected))
    expect(needed).toBeLessThanOrEqual(9000)
    expect(partBytes(needed, expected)).toBe(partBytes(1, expected))
    expect(total(maxParts, expected)).toBeGreaterThan(expected * 1.2)
  })

  test('an unknown length of 100 GB stays in small parts', () => {
    let n = 0
    for (let sum = 0; sum < 1e11; n++) sum += partBytes(n + 1)
    expect(partBytes(n)).toBe(64 << 20)
  })
})
