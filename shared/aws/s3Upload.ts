import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import type { CompletedPart, S3Client } from '@aws-sdk/client-s3'
import { HtsvaultError } from '#shared/errors.ts'
import type { ObjectInfo, PutCondition, StoredBytes, Upload } from '#shared/vault/ports/ObjectStore.ts'
import { copyBytes, firstPartBytes, maxParts, partBytes } from './partSizes.ts'
import {
  isConflict,
  isNoSuchUpload,
  isNotFound,
  isPreconditionFailed,
  preconditionFailed,
  s3Error,
} from './s3Errors.ts'
import { bucketFields, bucketOf, conditionFields, copySource, infoOf } from './s3Objects.ts'
import type { Bucket } from './s3Objects.ts'

/** Parts on their way, beside the one that is filled: at most so many, and of so many bytes together. */
const maxInFlight = 3
const maxInFlightBytes = 48 << 20
/** Copies that S3 makes by itself, at once. */
const maxCopies = 8

/** How often a write is tried that met another one. */
const maxConflicts = 8

/** Every write carries a name of its own: it tells a write of ours whose answer was lost from one of somebody else. */
export const writeIdName = 'htsvault-write'

/**
 * Writes an object whole, in one request.
 * @throws HtsvaultError PRECONDITION_FAILED, STORE_UNAVAILABLE, STORE_FORBIDDEN
 */
export async function s3Put(
  client: S3Client,
  bucket: Bucket,
  key: string,
  bytes: Uint8Array,
  condition?: PutCondition,
): Promise<ObjectInfo> {
  const writeId = randomUUID()
  for (let conflicts = 0; ; conflicts++) {
    try {
      const reply = await client.send(
        new PutObjectCommand({
          ...bucketFields(bucket),
          Key: key,
          Body: bytes,
          Metadata: { [writeIdName]: writeId },
          ...conditionFields(condition),
        }),
      )
      return infoOf(key, bytes.length, reply.ETag, undefined)
    } catch (error) {
      if (isConflict(error) && conflicts < maxConflicts) {
        await setTimeout(Math.random() * 20 * 2 ** conflicts)
        continue
      }
      return await explainFailure(client, bucket, key, writeId, condition, error)
    }
  }
}

/**
 * An upload that becomes one PutObject where it fits into a part, and else a multipart upload whose parts are sent
 * while the next is filled. Memory: at most four parts of 8 MiB, beyond that two parts.
 */
export function s3Upload(client: S3Client, bucket: Bucket, key: string, expectedBytes?: number): Upload {
  const target = { ...bucketFields(bucket), Key: key }
  const writeId = randomUUID()
  const stop = new AbortController()
  const parts: CompletedPart[] = []
  const inFlight = new Set<Promise<void>>()
  const free: Buffer[] = []
  let uploadId: string | undefined
  let failure: unknown
  let part: Buffer | undefined
  let filled = 0
  let size = 0
  let open = true

  const newPart = () => {
    const length = partBytes(parts.length + 1, expectedBytes)
    const spare = free.pop()
    return spare?.length === length ? spare : Buffer.allocUnsafeSlow(length)
  }

  const sendPart = async () => {
    const full = part!
    const body = full.subarray(0, filled)
    part = undefined
    filled = 0
    const limit = Math.max(1, Math.min(maxInFlight, Math.floor(maxInFlightBytes / full.length)))
    await addPart(limit, async place => {
      const reply = await client.send(
        new UploadPartCommand({ ...place, Body: body, ChecksumAlgorithm: 'CRC32' }),
        { abortSignal: stop.signal },
      )
      free.push(full)
      return reply
    })
  }

  /** Begins the next part, once fewer than `limit` are on their way. */
  const addPart = async (limit: number, send: (place: Place) => Promise<PartReply | undefined>) => {
    if (parts.length === maxParts)
      throw new HtsvaultError('OBJECT_TOO_LARGE', `S3 takes no more than ${maxParts} parts`)
    uploadId ??= (
      await client.send(
        new CreateMultipartUploadCommand({
          ...target,
          ChecksumAlgorithm: 'CRC32',
          Metadata: { [writeIdName]: writeId },
        }),
      )
    ).UploadId!
    while (inFlight.size >= limit) await Promise.race(inFlight)
    throwFailure()
    const completed: CompletedPart = { PartNumber: parts.length + 1 }
    parts.push(completed)
    const sending = send({ ...target, UploadId: uploadId, PartNumber: parts.length })
      .then(reply => {
        completed.ETag = reply?.ETag
        completed.ChecksumCRC32 = reply?.ChecksumCRC32
      })
      .catch((error: unknown) => {
        failure ??= error
      })
      .finally(() => inFlight.delete(sending))
    inFlight.add(sending)
  }

  const takeIn = async (chunk: Uint8Array) => {
    throwFailure()
    for (let at = 0; at < chunk.length;) {
      part ??= newPart()
      const piece = chunk.subarray(at, at + part.length - filled)
      part.set(piece, filled)
      filled += piece.length
      at += piece.length
      size += piece.length
      if (filled === part.length) await sendPart()
    }
  }

  /** By way of here: for what S3 cannot copy, and for pieces that are too short to be a part of their own. */
  const passThrough = async ({ store, key: from, start, end, etag }: StoredBytes) => {
    if (start === end) return
    for await (const chunk of store.stream(from, start, end, etag, { reuse: true })) await takeIn(chunk)
  }

  const copyPart = (source: Bucket, { key: from, start, end, etag }: StoredBytes) => {
    size += end - start
    return addPart(maxCopies, async place => {
      const range = { CopySourceRange: `bytes=${start}-${end - 1}` }
      const copy = new UploadPartCopyCommand({ ...place, ...copySource(source, from, etag), ...range })
      return (await client.send(copy, { abortSignal: stop.signal })).CopyPartResult
    })
  }

  const throwFailure = () => {
    if (failure !== undefined) throw s3Error(failure, key)
  }

  const checkOpen = () => {
    if (!open) throw new HtsvaultError('UPLOAD_ENDED', 'the upload was completed or aborted before')
  }

  /** Parts that arrive after the abort would stay: so it comes when all have ended. */
  const discard = async () => {
    open = false
    part = undefined
    stop.abort()
    await Promise.all(inFlight)
    // What this leaves, the bucket's lifecycle removes.
    if (uploadId !== undefined)
      await client
        .send(new AbortMultipartUploadCommand({ ...target, UploadId: uploadId }))
        .catch(() => undefined)
  }

  const completeParts = async (condition: PutCondition | undefined): Promise<ObjectInfo> => {
    if (filled > 0) await sendPart()
    await Promise.all(inFlight)
    throwFailure()
    try {
      const reply = await client.send(
        new CompleteMultipartUploadCommand({
          ...target,
          UploadId: uploadId,
          MultipartUpload: { Parts: parts },
          ...conditionFields(condition),
        }),
      )
      return infoOf(key, size, reply.ETag, undefined)
    } catch (error) {
      return await explainFailure(client, bucket, key, writeId, condition, error)
    }
  }

  return {
    async write(chunk) {
      checkOpen()
      try {
        await takeIn(chunk)
      } catch (error) {
        throw s3Error(error, key)
      }
    },

    async append(bytes) {
      checkOpen()
      try {
        const source = bucketOf.get(bytes.store)
        if (source === undefined) {
          await passThrough(bytes)
          return
        }
        // The part begun is filled first: only the last one may be short.
        let at = part === undefined ? bytes.start : Math.min(bytes.end, bytes.start + part.length - filled)
        await passThrough({ ...bytes, end: at })
        for (; bytes.end - at >= firstPartBytes; at = Math.min(bytes.end, at + copyBytes))
          await copyPart(source, { ...bytes, start: at, end: Math.min(bytes.end, at + copyBytes) })
        await passThrough({ ...bytes, start: at })
      } catch (error) {
        throw s3Error(error, key)
      }
    },

    async complete(condition) {
      checkOpen()
      open = false
      try {
        return uploadId === undefined
          ? await s3Put(client, bucket, key, part?.subarray(0, filled) ?? new Uint8Array(), condition)
          : await completeParts(condition)
      } catch (error) {
        await discard()
        throw s3Error(error, key)
      }
    },

    async abort() {
      if (open) await discard()
    },
  }
}

/** What every part is sent to. */
interface Place {
  readonly Bucket: string
  readonly Key: string
  readonly UploadId: string
  readonly PartNumber: number
}

/** What S3 says of a part, sent or copied. */
type PartReply = Pick<CompletedPart, 'ETag' | 'ChecksumCRC32'>

/**
 * What the failure of a write means. The SDK sends a request again whose answer was lost; the second one then fails
 * on what the first one wrote. So before a write is called lost, the object is asked whether it is ours.
 */
export async function explainFailure(
  client: S3Client,
  bucket: Bucket,
  key: string,
  writeId: string,
  condition: PutCondition | undefined,
  error: unknown,
): Promise<ObjectInfo> {
  const lost = isPreconditionFailed(error) || (condition?.ifMatch !== undefined && isNotFound(error))
  if (lost || isNoSuchUpload(error)) {
    const head = await client
      .send(new HeadObjectCommand({ ...bucketFields(bucket), Key: key }))
      .catch(() => undefined)
    if (head?.Metadata?.[writeIdName] === writeId)
      return infoOf(key, head.ContentLength, head.ETag, head.LastModified)
  }
  throw lost ? preconditionFailed(key, error) : s3Error(error, key)
}
