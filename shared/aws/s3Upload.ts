import { randomUUID } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import type { CompletedPart, S3Client } from '@aws-sdk/client-s3'
import { crc64nvme, joinCrc64nvme, writeCrc64nvme } from '#shared/bytes/crc64nvme.ts'
import { HtsvaultError } from '#shared/errors.ts'
import type { ObjectInfo, PutCondition, StoredBytes, Upload } from '#shared/vault/ports/ObjectStore.ts'
import { copyBytes, firstPartBytes, maxParts, partBytes } from './partSizes.ts'
import { s3Error } from './s3Errors.ts'
import { bucketFields, bucketOf, conditionFields, copySource, infoOf } from './s3Objects.ts'
import type { Bucket } from './s3Objects.ts'
import { explainFailure, s3Put, writeIdName } from './s3Put.ts'

/** Parts on their way, beside the one that is filled: at most so many, and of so many bytes together. */
const maxInFlight = 3
const maxInFlightBytes = 48 << 20
/** Copies that S3 makes by itself, at once. */
const maxCopies = 8

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
  /** The CRC of the part that is filled, of all parts before it, and, once something was appended, of the whole object. */
  let partCrc = 0n
  let sentCrc = 0n
  let wholeCrc: bigint | undefined
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
    const checksum = writeCrc64nvme(partCrc)
    sentCrc = crcSoFar()
    part = undefined
    filled = 0
    partCrc = 0n
    const limit = Math.max(1, Math.min(maxInFlight, Math.floor(maxInFlightBytes / full.length)))
    await addPart(limit, async place => {
      const reply = await client.send(
        new UploadPartCommand({ ...place, Body: body, ChecksumCRC64NVME: checksum }),
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
          ChecksumAlgorithm: 'CRC64NVME',
          ChecksumType: 'FULL_OBJECT',
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
        completed.ChecksumCRC64NVME = reply?.ChecksumCRC64NVME
      })
      .catch((error: unknown) => {
        failure ??= error
      })
      .finally(() => inFlight.delete(sending))
    inFlight.add(sending)
  }

  const crcSoFar = () => joinCrc64nvme(sentCrc, partCrc, filled)

  const takeIn = async (chunk: Uint8Array) => {
    throwFailure()
    for (let at = 0; at < chunk.length;) {
      part ??= newPart()
      const piece = chunk.subarray(at, at + part.length - filled)
      // Of what was handed over, not of the copy: what becomes of that is then seen, too.
      partCrc = crc64nvme(piece, partCrc)
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

  const completeParts = async (crc: bigint, condition: PutCondition | undefined): Promise<ObjectInfo> => {
    if (filled > 0) await sendPart()
    await Promise.all(inFlight)
    throwFailure()
    try {
      const reply = await client.send(
        new CompleteMultipartUploadCommand({
          ...target,
          UploadId: uploadId,
          MultipartUpload: { Parts: parts },
          // S3 makes no object of anything else.
          ChecksumType: 'FULL_OBJECT',
          ChecksumCRC64NVME: writeCrc64nvme(crc),
          MpuObjectSize: size,
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
        if (wholeCrc !== undefined)
          throw new HtsvaultError('UPLOAD_ENDED', 'nothing can be written behind what was appended')
        await takeIn(chunk)
      } catch (error) {
        throw s3Error(error, key)
      }
    },

    async append(bytes) {
      checkOpen()
      try {
        wholeCrc = joinCrc64nvme(crcSoFar(), bytes.crc64nvme, bytes.end - bytes.start)
        const source = bucketOf.get(bytes.store)
        if (source === undefined) {
          await passThrough(bytes)
          return
        }
        // The part begun is filled first: only the last one may be short.
        let at = part === undefined ? bytes.start : Math.min(bytes.end, bytes.start + part.length - filled)
        await passThrough({ ...bytes, end: at })
        if (bytes.end - at < firstPartBytes) await passThrough({ ...bytes, start: at })
        else
          for (; at < bytes.end; at += copyBytes)
            await copyPart(source, { ...bytes, start: at, end: Math.min(bytes.end, at + copyBytes) })
      } catch (error) {
        throw s3Error(error, key)
      }
    },

    async complete(condition) {
      checkOpen()
      open = false
      try {
        const crc = wholeCrc ?? crcSoFar()
        const bytes = part?.subarray(0, filled) ?? new Uint8Array()
        const info =
          uploadId === undefined
            ? await s3Put(client, bucket, key, bytes, condition, crc)
            : await completeParts(crc, condition)
        return { ...info, crc64nvme: writeCrc64nvme(crc) }
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
type PartReply = Pick<CompletedPart, 'ETag' | 'ChecksumCRC64NVME'>
