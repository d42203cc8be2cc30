import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { s3Put } from '#shared/aws/s3Put.ts'
import { s3Store } from '#shared/aws/s3Store.ts'
import { crc64nvme, writeCrc64nvme } from '#shared/bytes/crc64nvme.ts'
import type { AwsServer } from '#test/support/awsServer.ts'
import { objectStoreContract } from '#test/support/contract/objectStore.ts'
import { requireTools, temporaryFolder } from '#test/support/interop.ts'
import { startLocalstackS3 } from '#test/support/localstackS3.ts'

const code = (value: string) => expect.objectContaining({ name: 'HtsvaultError', code: value }) as unknown

/** What moto leaves open: versions, conditions of multipart uploads, checksums, and signatures of URLs are looked at here. */
requireTools('localstack-supervisor')("on LocalStack's S3", () => {
  const folder = temporaryFolder()
  const Bucket = 'vault'
  let server: AwsServer
  let s3: S3Client

  beforeAll(async () => {
    server = await startLocalstackS3(folder)
    s3 = new S3Client({ ...server.settings, forcePathStyle: true })
    await s3.send(
      new CreateBucketCommand({
        Bucket,
        CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
      }),
    )
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
  })
  afterAll(async () => {
    s3.destroy()
    await server.stop()
  })
  afterEach(async () => {
    const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket }))
    expect(Uploads ?? []).toEqual([])
  })

  // LocalStack refuses If-Match on a delete; that it is sent, and what becomes of it, is tried on moto.
  objectStoreContract(() => s3Store(s3, Bucket), { ifMatchOnDeletes: false })

  test('a presigned range is given as it was signed, and in no other way', async () => {
    const store = s3Store(s3, Bucket)
    const key = "study/a b+c%25é!*'().bam.c4gh"
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i * 7))
    const { etag } = await store.put(key, bytes)
    await store.put('study/other', bytes)
    const { url, headers } = await store.presign!(key, 1000, 66_000, etag, 900)
    const reply = await fetch(url, { headers })
    expect([reply.status, reply.headers.get('content-range')]).toEqual([206, 'bytes 1000-65999/100000'])
    expect(bytes.subarray(1000, 66_000).equals(Buffer.from(await reply.arrayBuffer()))).toBe(true)

    const changed: [string, Record<string, string>][] = [
      [url, { ...headers, Range: 'bytes=0-99999' }],
      [url, { ...headers, 'If-Match': '"0"' }],
      [url, { 'If-Match': headers['If-Match']! }],
      [url, {}],
      [url.replace(/study\/[^?]*/, 'study/other'), headers],
      [url.replace('X-Amz-Expires=900', 'X-Amz-Expires=9000'), headers],
    ]
    expect(changed.filter(([each]) => each !== url)).toHaveLength(2)
    for (const [other, sent] of changed) expect((await fetch(other, { headers: sent })).status).toBe(403)

    // The object is another by now: signed as it should be, and refused.
    await store.put(key, Buffer.from('another'))
    expect((await fetch(url, { headers })).status).toBe(412)
  })

  test('an object has the CRC-64/NVME that we took, and none is made that has another', async () => {
    const store = s3Store(s3, Bucket)
    const large = Buffer.alloc(9_000_001, 'htsvault')
    const shown = async (Key: string) =>
      (await s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }))).ChecksumCRC64NVME
    await store.put('sums/small', large.subarray(0, 1000))
    expect(await shown('sums/small')).toBe(writeCrc64nvme(crc64nvme(large.subarray(0, 1000))))
    const upload = await store.create('sums/large')
    await upload.write(large)
    const { etag } = await upload.complete()
    expect(await shown('sums/large')).toBe(writeCrc64nvme(crc64nvme(large)))

    const wrong = crc64nvme(large) ^ 1n
    await expect(s3Put(s3, { name: Bucket }, 'sums/x', large, undefined, wrong)).rejects.toEqual(
      code('STORE_UNAVAILABLE'),
    )
    const copy = await store.create('sums/x')
    const source = { store, key: 'sums/large', etag, start: 0, end: large.length }
    const finish = async () => {
      await copy.append!({ ...source, crc64nvme: wrong })
      await copy.complete()
    }
    await expect(finish()).rejects.toEqual(code('STORE_UNAVAILABLE'))
    await copy.abort()
    expect(await store.head('sums/x')).toBeUndefined()
  })

  test('neither is a part of several processes taken whose sum is another, nor a whole of them', async () => {
    const store = s3Store(s3, Bucket)
    const bytes = Buffer.alloc(1000, 'htsvault')
    const upload = await store.parts.begin('sums/parts')
    const part = { number: 1, offset: 0, bytes, crc64nvme: crc64nvme(bytes) }
    await expect(
      store.parts.put('sums/parts', upload, { ...part, crc64nvme: part.crc64nvme ^ 1n }),
    ).rejects.toEqual(code('STORE_UNAVAILABLE'))
    await store.parts.put('sums/parts', upload, part)
    const [UploadId] = upload.split(' ')
    const { Parts } = await s3.send(new ListPartsCommand({ Bucket, Key: 'sums/parts', UploadId }))
    const wrong = new CompleteMultipartUploadCommand({
      Bucket,
      Key: 'sums/parts',
      UploadId,
      MultipartUpload: { Parts: Parts!.map(({ PartNumber, ETag }) => ({ PartNumber, ETag })) },
      ChecksumType: 'FULL_OBJECT',
      ChecksumCRC64NVME: writeCrc64nvme(part.crc64nvme ^ 1n),
    })
    await expect(s3.send(wrong)).rejects.toMatchObject({ name: 'BadDigest' })
    const whole = await store.parts.complete('sums/parts', upload, { parts: 1, size: 1000 })
    expect(whole.crc64nvme).toBe(writeCrc64nvme(part.crc64nvme))
    expect(await store.parts.sumOf('sums/parts', whole.etag)).toBe(whole.crc64nvme)
  })
})
