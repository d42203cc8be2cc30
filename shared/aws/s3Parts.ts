import { randomUUID } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListPartsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import type { Part, S3Client } from '@aws-sdk/client-s3'
import { readCrc64nvme, writeCrc64nvme } from '#shared/bytes/crc64nvme.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { joinParts, type KeptPart } from '#shared/vault/joinParts.ts'
import { copiedBytes, copiedCrc, otherBytes } from '#shared/vault/ports/copiedBytes.ts'
import type { CopiedPart, ObjectPart, PartUploads } from '#shared/vault/ports/ObjectStore.ts'
import { isNoSuchUpload, s3Error } from './s3Errors.ts'
import {
  bucketFields,
  bucketOf,
  checkKey,
  conditionFields,
  copySource,
  infoOf,
  quotedEtag,
  type Bucket,
} from './s3Objects.ts'
import { explainFailure, writeIdName } from './s3Put.ts'

/**
 * Multipart uploads of S3. An upload's name is S3's own and the id of our write, with a space between. Which parts are
 * there S3 itself is asked, so that a part that was sent twice is no question; so it is for their sums, which it held against
 * those that they were sent with.
 */
export function s3Parts(client: S3Client, bucket: Bucket): PartUploads {
  const at = (key: string, upload: string) => {
    checkKey(key)
    const [uploadId = '', writeId = ''] = upload.split(' ')
    return { target: { ...bucketFields(bucket), Key: key, UploadId: uploadId }, writeId }
  }

  const listParts = async (key: string, upload: string): Promise<Part[]> => {
    const { target } = at(key, upload)
    const parts: Part[] = []
    for (let marker: string | undefined; ;) {
      const page = await client.send(
        new ListPartsCommand({ ...target, ...(marker !== undefined && { PartNumberMarker: marker }) }),
      )
      parts.push(...(page.Parts ?? []))
      marker = page.NextPartNumberMarker
      if (page.IsTruncated !== true || marker === undefined) return parts
    }
  }

  const putPart = async (
    key: string,
    upload: string,
    { number, bytes, crc64nvme }: Omit<ObjectPart, 'offset'>,
  ) => {
    const { target } = at(key, upload)
    try {
      await client.send(
        new UploadPartCommand({
          ...target,
          PartNumber: number,
          Body: bytes,
          ChecksumCRC64NVME: writeCrc64nvme(crc64nvme),
        }),
      )
    } catch (error) {
      throw isNoSuchUpload(error) ? uploadEnded(error) : s3Error(error, key)
    }
  }

  return {
    async begin(key) {
      checkKey(key)
      const writeId = randomUUID()
      try {
        const { UploadId } = await client.send(
          new CreateMultipartUploadCommand({
            ...bucketFields(bucket),
            Key: key,
            ChecksumAlgorithm: 'CRC64NVME',
            ChecksumType: 'FULL_OBJECT',
            Metadata: { [writeIdName]: writeId },
          }),
        )
        return `${UploadId!} ${writeId}`
      } catch (error) {
        throw s3Error(error, key)
      }
    },

    put: putPart,

    async copy(key, upload, part) {
      const { from, number } = part
      const source = bucketOf.get(from.store)
      if (source === undefined || part.lead) {
        await putPart(key, upload, { number, bytes: await readPart(part), crc64nvme: copiedCrc(part) })
        return
      }
      const { target } = at(key, upload)
      try {
        const reply = await client.send(
          new UploadPartCopyCommand({
            ...target,
            PartNumber: number,
            ...copySource(source, from.key, from.etag),
            CopySourceRange: `bytes=${from.start}-${from.end - 1}`,
          }),
        )
        const copied = reply.CopyPartResult?.ChecksumCRC64NVME
        if (copied !== undefined && copied !== writeCrc64nvme(from.crc64nvme)) throw otherBytes(from)
      } catch (error) {
        throw isNoSuchUpload(error) ? uploadEnded(error) : s3Error(error, from.key)
      }
    },

    async complete(key, upload, whole, condition) {
      const { target, writeId } = at(key, upload)
      try {
        const parts = (await listParts(key, upload)).toSorted(byNumber)
        const crc = joinParts(parts.map(keptPart), whole)
        const sum = crc !== undefined && { ChecksumCRC64NVME: writeCrc64nvme(crc) }
        const reply = await client.send(
          new CompleteMultipartUploadCommand({
            ...target,
            MultipartUpload: {
              Parts: parts.map(({ PartNumber, ETag, ChecksumCRC64NVME }) => ({
                PartNumber,
                ETag,
                ChecksumCRC64NVME,
              })),
            },
            // S3 makes no object of anything else.
            ChecksumType: 'FULL_OBJECT',
            ...sum,
            MpuObjectSize: whole.size,
            ...conditionFields(condition),
          }),
        )
        return {
          ...infoOf(key, whole.size, reply.ETag, undefined),
          ...(crc !== undefined && { crc64nvme: writeCrc64nvme(crc) }),
        }
      } catch (error) {
        if (error instanceof HtsvaultError) throw error
        return await explainFailure(client, bucket, key, writeId, condition, error).catch(
          (explained: unknown) => {
            throw isNoSuchUpload(error) ? uploadEnded(error) : explained
          },
        )
      }
    },

    async sumOf(key, etag) {
      try {
        const { ChecksumType, ChecksumCRC64NVME } = await client.send(
          new HeadObjectCommand({
            ...bucketFields(bucket),
            Key: key,
            IfMatch: quotedEtag(etag),
            ChecksumMode: 'ENABLED',
          }),
        )
        const sum = ChecksumType === 'FULL_OBJECT' ? readCrc64nvme(ChecksumCRC64NVME) : undefined
        return sum === undefined ? undefined : writeCrc64nvme(sum)
      } catch (error) {
        throw s3Error(error, key)
      }
    },

    async abort(key, upload) {
      const { target } = at(key, upload)
      try {
        await client.send(new AbortMultipartUploadCommand(target))
      } catch (error) {
        if (!isNoSuchUpload(error)) throw s3Error(error, key)
      }
    },
  }
}

/** A part that S3 cannot copy, in memory. */
async function readPart(part: CopiedPart): Promise<Uint8Array> {
  const { lead, from } = part
  const bytes = Buffer.allocUnsafeSlow((lead?.length ?? 0) + from.end - from.start)
  let at = 0
  for await (const chunk of copiedBytes(part)) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

const byNumber = (a: Part, b: Part) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0)

/** S3 took it only because its own sum was the same. */
const keptPart = ({ PartNumber = 0, Size = 0, ChecksumCRC64NVME }: Part): KeptPart => ({
  number: PartNumber,
  size: Size,
  crc64nvme: readCrc64nvme(ChecksumCRC64NVME),
})

const uploadEnded = (cause: unknown) =>
  new HtsvaultError('UPLOAD_ENDED', 'the upload was completed or aborted before', { cause })
