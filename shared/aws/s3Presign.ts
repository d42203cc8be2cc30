import { GetObjectCommand } from '@aws-sdk/client-s3'
import type { S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { PresignedGet } from '#shared/vault/ports/ObjectStore.ts'
import { s3Error } from './s3Errors.ts'
import { bucketFields, quotedEtag } from './s3Objects.ts'
import type { Bucket } from './s3Objects.ts'

/** What SigV4 allows. The URL ends earlier where the credentials that signed it do. */
const maxSeconds = 7 * 24 * 3600

/**
 * A signed GET of the bytes `start` to `end` (excluded) of an object, and of that version alone. Range and If-Match are
 * among the signed headers: with another range, without one, or once the object is another, S3 refuses it.
 * @throws HtsvaultError STORE_UNAVAILABLE where there are no credentials
 */
export async function s3Presign(
  client: S3Client,
  bucket: Bucket,
  key: string,
  { start, end, etag, seconds }: { start: number; end: number; etag: string; seconds: number },
): Promise<PresignedGet> {
  const headers = { Range: `bytes=${start}-${end - 1}`, 'If-Match': quotedEtag(etag) }
  const names = ['range', 'if-match']
  try {
    const url = await getSignedUrl(
      client,
      new GetObjectCommand({
        // Without the bucket's owner: it would be one more header for the client to send.
        ...bucketFields({ name: bucket.name }),
        Key: key,
        Range: headers.Range,
        IfMatch: headers['If-Match'],
      }),
      {
        expiresIn: Math.min(seconds, maxSeconds),
        signableHeaders: new Set(['host', ...names]),
        unhoistableHeaders: new Set(names),
      },
    )
    return { url, headers }
  } catch (error) {
    throw s3Error(error, key)
  }
}
