import {
  GetObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { mockClient } from 'aws-sdk-client-mock'
import { Readable } from 'node:stream'
import { s3Store } from '#shared/aws/s3Store.ts'
import { crc64nvme, writeCrc64nvme } from '#shared/bytes/crc64nvme.ts'

const s3 = mockClient(S3Client)
const client = new S3Client({ region: 'eu-central-1' })
const store = s3Store(client, 'vault')
const inbox = s3Store(client, 'inbox', { owner: '123456789012' })
beforeEach(() => {
  s3.reset()
})

const code = (value: string) => expect.objectContaining({ name: 'HtsvaultError', code: value }) as unknown
const refusal = (name: string, status: number) =>
  new S3ServiceException({ name, message: '', $fault: 'client', $metadata: { httpStatusCode: status } })

describe('a part that is stored already', () => {
  const source = Buffer.from('0123456789')
  const from = {
    store: inbox,
    key: 'a b/ü.c4gh',
    start: 3,
    end: 8,
    etag: 'e',
    crc64nvme: crc64nvme(source.subarray(3, 8)),
  }
  const copy = (more: object = {}) =>
    store.parts.copy('x', 'id write', { number: 2, offset: 7, from: { ...from, ...more } })

  test('is copied by S3, of the version that was read', async () => {
    s3.on(UploadPartCopyCommand).resolves({
      CopyPartResult: { ETag: '"c"', ChecksumCRC64NVME: writeCrc64nvme(from.crc64nvme) },
    })
    await copy()
    expect(s3.calls()).toHaveLength(1)
    expect(s3.commandCalls(UploadPartCopyCommand)[0]!.args[0].input).toEqual({
      Bucket: 'vault',
      Key: 'x',
      UploadId: 'id',
      PartNumber: 2,
      CopySource: 'inbox/a%20b/%C3%BC.c4gh',
      CopySourceIfMatch: '"e"',
      CopySourceRange: 'bytes=3-7',
      ExpectedSourceBucketOwner: '123456789012',
    })
  })

  test('is not taken for copied where S3 says that its bytes are others', async () => {
    s3.on(UploadPartCopyCommand).resolves({ CopyPartResult: { ChecksumCRC64NVME: writeCrc64nvme(1n) } })
    await expect(copy()).rejects.toEqual(code('STORE_UNAVAILABLE'))
  })

  test.each([
    ['PreconditionFailed', 412, 'OBJECT_CHANGED'],
    ['NoSuchKey', 404, 'OBJECT_GONE'],
    ['NoSuchUpload', 404, 'UPLOAD_ENDED'],
    ['SlowDown', 503, 'STORE_UNAVAILABLE'],
  ])('%s is told as what it is', async (name, status, expected) => {
    s3.on(UploadPartCopyCommand).rejects(refusal(name, status))
    await expect(copy()).rejects.toEqual(code(expected))
  })

  test('comes by way of here behind a lead, and of a store that S3 does not know', async () => {
    s3.on(GetObjectCommand).callsFake(async () => ({
      Body: Readable.from([source.subarray(3, 8)], { objectMode: false }),
      ContentRange: 'bytes 3-7/10',
    }))
    s3.on(UploadPartCommand).resolves({ ETag: '"p"' })
    const lead = Buffer.from('lead ')
    await store.parts.copy('x', 'id write', { number: 1, offset: 0, lead, from })
    await copy({ store: { ...inbox } })
    expect(s3.commandCalls(UploadPartCopyCommand)).toEqual([])
    const sent = s3.commandCalls(UploadPartCommand).map(call => call.args[0].input)
    expect(sent.map(({ PartNumber, Body }) => [PartNumber, (Body as Buffer).toString()])).toEqual([
      [1, 'lead 34567'],
      [2, '34567'],
    ])
    await expect(copy({ store: { ...inbox }, crc64nvme: 1n })).rejects.toEqual(code('STORE_UNAVAILABLE'))
    expect(s3.commandCalls(UploadPartCommand)).toHaveLength(2)
  })
})
