import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3'
import type { S3Client } from '@aws-sdk/client-s3'
import { HtsvaultError } from '#shared/errors.ts'
import type { ObjectStore } from '#shared/vault/ports/ObjectStore.ts'
import { isConflict, isNotFound, isPreconditionFailed, s3Error } from './s3Errors.ts'
import { bucketFields, bucketOf, checkKey, infoOf, quotedEtag } from './s3Objects.ts'
import { s3Parts } from './s3Parts.ts'
import { s3Presign } from './s3Presign.ts'
import { s3Put } from './s3Put.ts'
import { s3Stream } from './s3Stream.ts'
import { s3Upload } from './s3Upload.ts'

export interface S3StoreOptions {
  /** The account that owns the bucket: a bucket of that name in another one is refused. */
  readonly owner?: string
}

/**
 * A bucket of S3. Encryption at rest is the bucket's own setting. Retries of single requests are the client's; a body
 * that breaks off is taken up again here. The `modified` of what was just written is this machine's time.
 */
export function s3Store(client: S3Client, bucketName: string, { owner }: S3StoreOptions = {}): ObjectStore {
  const bucket = { name: bucketName, owner }
  const at = (key: string) => {
    checkKey(key)
    return { ...bucketFields(bucket), Key: key }
  }

  const store: ObjectStore = {
    async head(key) {
      const target = at(key)
      try {
        const head = await client.send(new HeadObjectCommand(target))
        return infoOf(key, head.ContentLength, head.ETag, head.LastModified)
      } catch (error) {
        if (isNotFound(error)) return undefined
        throw s3Error(error, key)
      }
    },

    async get(key, maxBytes) {
      const target = at(key)
      try {
        const reply = await client.send(new GetObjectCommand(target))
        const body = reply.Body as (AsyncIterable<Uint8Array> & { destroy(): void }) | undefined
        const info = infoOf(key, reply.ContentLength, reply.ETag, reply.LastModified)
        if (info.size > maxBytes) {
          body?.destroy()
          throw new HtsvaultError(
            'OBJECT_TOO_LARGE',
            `the object has ${info.size} bytes, at most ${maxBytes} are read`,
            { place: { file: key } },
          )
        }
        return { bytes: await collect(body ?? [], info.size, key), info }
      } catch (error) {
        if (isNotFound(error)) return undefined
        throw s3Error(error, key)
      }
    },

    async read(key, start, end, etag) {
      checkKey(key)
      return collect(s3Stream(client, bucket, key, start, end, etag), end - start, key)
    },

    stream(key, start, end, etag) {
      checkKey(key)
      return s3Stream(client, bucket, key, start, end, etag)
    },

    async presign(key, start, end, etag, seconds) {
      checkKey(key)
      return s3Presign(client, bucket, key, { start, end, etag, seconds })
    },

    async put(key, bytes, condition) {
      checkKey(key)
      return s3Put(client, bucket, key, bytes, condition)
    },

    async create(key, expectedBytes) {
      checkKey(key)
      return s3Upload(client, bucket, key, expectedBytes)
    },

    parts: s3Parts(client, bucket),

    async delete(key, ifMatch) {
      const target = at(key)
      try {
        await client.send(
          new DeleteObjectCommand({
            ...target,
            ...(ifMatch !== undefined && { IfMatch: quotedEtag(ifMatch) }),
          }),
        )
        return true
      } catch (error) {
        if (isNotFound(error)) return true
        // A conflict is with a write: the object is then not the one that was meant.
        if (ifMatch !== undefined && (isPreconditionFailed(error) || isConflict(error))) return false
        throw s3Error(error, key)
      }
    },

    async *list(prefix) {
      for (let token: string | undefined; ;) {
        const page = await client
          .send(
            new ListObjectsV2Command({
              ...bucketFields(bucket),
              Prefix: prefix,
              // Keys may hold characters that XML cannot.
              EncodingType: 'url',
              ...(token !== undefined && { ContinuationToken: token }),
            }),
          )
          .catch((error: unknown) => {
            throw s3Error(error, prefix)
          })
        for (const { Key, Size, ETag, LastModified } of page.Contents ?? [])
          yield infoOf(decodeURIComponent((Key ?? '').replaceAll('+', ' ')), Size, ETag, LastModified)
        token = page.NextContinuationToken
        if (page.IsTruncated !== true || token === undefined) return
      }
    },
  }
  bucketOf.set(store, bucket)
  return store
}

/** Exactly `size` bytes of a body, copied once. */
async function collect(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size: number,
  key: string,
): Promise<Uint8Array> {
  let bytes: Buffer | undefined
  let at = 0
  for await (const chunk of body) {
    // Allocated when the store has answered, so that a range that is refused costs nothing.
    bytes ??= Buffer.allocUnsafeSlow(size)
    if (at + chunk.length > size) break
    bytes.set(chunk, at)
    at += chunk.length
  }
  if (at !== size)
    throw new HtsvaultError('SHORT_READ', `S3 gave ${at} bytes, ${size} were expected`, {
      place: { file: key },
    })
  return bytes ?? new Uint8Array()
}
