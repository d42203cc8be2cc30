import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3'
import type { S3Client } from '@aws-sdk/client-s3'
import { checkRange } from '#shared/bytes/ByteSource.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { s3Error } from './s3Errors.ts'
import { bucketFields, quotedEtag } from './s3Objects.ts'
import type { Bucket } from './s3Objects.ts'

/** A connection that breaks is taken up again where it broke, so many times without a byte between. */
const maxBreaks = 3

/**
 * The bytes `start` to `end` (excluded) of an object, all of one version, whatever connections break.
 * @throws HtsvaultError OBJECT_GONE, OBJECT_CHANGED, RANGE_OUTSIDE_FILE, SHORT_READ, STORE_UNAVAILABLE, STORE_FORBIDDEN
 */
export async function* s3Stream(
  client: S3Client,
  bucket: Bucket,
  key: string,
  start: number,
  end: number,
  etag?: string,
): AsyncGenerator<Uint8Array> {
  if (!(start >= 0 && start < end)) {
    await checkWithHead(client, bucket, key, start, end, etag)
    return
  }
  let version = etag
  for (let at = start, breaks = 0; at < end;) {
    const range = await openRange(client, bucket, key, at, end, version)
    version = range.etag
    try {
      for await (const chunk of range.body) {
        if (chunk.length > end - at) throw new HtsvaultError('SHORT_READ', 'S3 sent more than was asked for')
        at += chunk.length
        breaks = 0
        // A consumer that stops ends this loop, and that closes the connection.
        yield chunk
      }
      if (at < end) breaks += 1
    } catch (error) {
      if (error instanceof HtsvaultError || ++breaks > maxBreaks) throw s3Error(error, key)
    }
    if (breaks > maxBreaks)
      throw new HtsvaultError('SHORT_READ', `S3 gave bytes up to ${at}, not to ${end}`, {
        place: { file: key },
      })
  }
}

/** A range of no bytes cannot be asked of S3; a wrong one is answered without asking for its bytes. */
async function checkWithHead(
  client: S3Client,
  bucket: Bucket,
  key: string,
  start: number,
  end: number,
  etag?: string,
): Promise<void> {
  try {
    const head = await client.send(
      new HeadObjectCommand({
        ...bucketFields(bucket),
        Key: key,
        ...(etag !== undefined && { IfMatch: quotedEtag(etag) }),
      }),
    )
    checkRange(start, end, head.ContentLength ?? 0)
  } catch (error) {
    throw s3Error(error, key)
  }
}

async function openRange(
  client: S3Client,
  bucket: Bucket,
  key: string,
  start: number,
  end: number,
  etag: string | undefined,
): Promise<{ readonly body: AsyncIterable<Uint8Array>; readonly etag: string | undefined }> {
  try {
    const reply = await client.send(
      new GetObjectCommand({
        ...bucketFields(bucket),
        Key: key,
        Range: `bytes=${start}-${end - 1}`,
        ...(etag !== undefined && { IfMatch: quotedEtag(etag) }),
      }),
    )
    // In Node the body is a Readable.
    const body = reply.Body as (AsyncIterable<Uint8Array> & { destroy(): void }) | undefined
    const size = Number(reply.ContentRange?.split('/')[1])
    if (body === undefined || !(end <= size)) {
      body?.destroy()
      checkRange(start, end, Number.isNaN(size) ? 0 : size)
      throw new HtsvaultError('STORE_UNAVAILABLE', 'S3 answered without a body', { place: { file: key } })
    }
    return { body, etag: reply.ETag }
  } catch (error) {
    throw s3Error(error, key)
  }
}
