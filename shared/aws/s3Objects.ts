import { HtsvaultError } from '#shared/errors.ts'
import type { ObjectInfo, ObjectStore, PutCondition } from '#shared/vault/ports/ObjectStore.ts'

/** One bucket, as the calls to S3 name it. */
export interface Bucket {
  readonly name: string
  /** Where given, a bucket of that name in another account is refused. */
  readonly owner?: string | undefined
}

export const bucketFields = ({ name, owner }: Bucket) => ({
  Bucket: name,
  ...(owner !== undefined && { ExpectedBucketOwner: owner }),
})

/** Which bucket each store of S3 is: from one of them S3 can copy by itself. */
export const bucketOf = new WeakMap<ObjectStore, Bucket>()

/** Where a copy comes from, and of which version. */
export const copySource = ({ name, owner }: Bucket, key: string, etag: string) => ({
  CopySource: [name, ...key.split('/').map(encodeURIComponent)].join('/'),
  CopySourceIfMatch: quotedEtag(etag),
  ...(owner !== undefined && { ExpectedSourceBucketOwner: owner }),
})

/** S3 writes an etag in quotes in its headers, and without them in its events: here it has none. */
export const plainEtag = (etag: string | undefined): string => (etag ?? '').replaceAll('"', '')
export const quotedEtag = (etag: string): string => `"${plainEtag(etag)}"`

/** The headers of a conditional write. */
export const conditionFields = (condition: PutCondition | undefined) => ({
  ...(condition?.ifAbsent === true && { IfNoneMatch: '*' }),
  ...(condition?.ifMatch !== undefined && { IfMatch: quotedEtag(condition.ifMatch) }),
})

export const infoOf = (
  key: string,
  size: number | undefined,
  etag: string | undefined,
  modified: Date | undefined,
): ObjectInfo => ({ key, size: size ?? 0, etag: plainEtag(etag), modified: modified ?? new Date() })

/** @throws HtsvaultError INVALID_KEY unless S3 can keep it: 1 to 1,024 bytes of UTF-8. */
export function checkKey(key: string): void {
  if (key === '' || !key.isWellFormed() || Buffer.byteLength(key) > 1024)
    throw new HtsvaultError('INVALID_KEY', 'the name is empty, no Unicode, or longer than 1024 bytes', {
      hint: 'Rename the file.',
    })
}
