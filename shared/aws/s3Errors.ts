import { HtsvaultError } from '#shared/errors.ts'

/** The HTTP status of a failed request, or undefined where there was no answer. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined
  const metadata = error.$metadata as { httpStatusCode?: number } | undefined
  return metadata?.httpStatusCode
}

const nameOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'name' in error && typeof error.name === 'string'
    ? error.name
    : undefined

/** There is no such object. A missing bucket is not that: it is an outage. */
export const isNotFound = (error: unknown): boolean =>
  statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket' && nameOf(error) !== 'NoSuchUpload'

export const isPreconditionFailed = (error: unknown): boolean => statusOf(error) === 412

/** Two conditional writes met; S3 did neither decide nor write. */
export const isConflict = (error: unknown): boolean => statusOf(error) === 409

export const isNoSuchUpload = (error: unknown): boolean => nameOf(error) === 'NoSuchUpload'

export const preconditionFailed = (key: string, cause?: unknown) =>
  new HtsvaultError('PRECONDITION_FAILED', 'the object is not, or no longer, as the condition says', {
    place: { file: key },
    cause,
  })

/** A failed request in the store's own words; an HtsvaultError stays as it is. */
export function s3Error(error: unknown, key: string): HtsvaultError {
  if (error instanceof HtsvaultError) return error
  const details = { place: { file: key }, cause: error }
  if (isNotFound(error)) return new HtsvaultError('OBJECT_GONE', 'there is no such object', details)
  switch (statusOf(error)) {
    case 412:
      return new HtsvaultError(
        'OBJECT_CHANGED',
        'the object is no longer the one that was asked for',
        details,
      )
    case 416:
      return new HtsvaultError('RANGE_OUTSIDE_FILE', 'the range lies outside the object', details)
    case 401:
    case 403:
      return new HtsvaultError('STORE_FORBIDDEN', `S3 does not let us: ${nameOf(error) ?? '403'}`, {
        ...details,
        hint: "Check the role's policy for this bucket and prefix (s3:ListBucket too: without it, S3 answers 403 for what is not there) and for the bucket's KMS key.",
      })
    default:
      return new HtsvaultError(
        'STORE_UNAVAILABLE',
        `S3 did not answer as it should: ${nameOf(error) ?? 'unknown'}`,
        details,
      )
  }
}
