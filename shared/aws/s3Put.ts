import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import type { S3Client } from '@aws-sdk/client-s3'
import { crc64nvme, writeCrc64nvme } from '#shared/bytes/crc64nvme.ts'
import type { ObjectInfo, PutCondition } from '#shared/vault/ports/ObjectStore.ts'
import {
  isConflict,
  isNoSuchUpload,
  isNotFound,
  isPreconditionFailed,
  preconditionFailed,
  s3Error,
} from './s3Errors.ts'
import { bucketFields, conditionFields, infoOf } from './s3Objects.ts'
import type { Bucket } from './s3Objects.ts'

/** How often a write is tried that met another one. */
const maxConflicts = 8

/** Every write carries a name of its own: it tells a write of ours whose answer was lost from one of somebody else. */
export const writeIdName = 'htsvault-write'

/**
 * Writes an object whole, in one request; `crc`: of the bytes, where it is known. S3 stores nothing that has another.
 * @throws HtsvaultError PRECONDITION_FAILED, STORE_UNAVAILABLE, STORE_FORBIDDEN
 */
export async function s3Put(
  client: S3Client,
  bucket: Bucket,
  key: string,
  bytes: Uint8Array,
  condition?: PutCondition,
  crc = crc64nvme(bytes),
): Promise<ObjectInfo> {
  const writeId = randomUUID()
  for (let conflicts = 0; ; conflicts++) {
    try {
      const reply = await client.send(
        new PutObjectCommand({
          ...bucketFields(bucket),
          Key: key,
          Body: bytes,
          ChecksumCRC64NVME: writeCrc64nvme(crc),
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
