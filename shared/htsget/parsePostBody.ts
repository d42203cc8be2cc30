import * as z from 'zod'
import { HtsgetError } from './HtsgetError.ts'
import {
  checkClass,
  checkColumns,
  checkEncryptionScheme,
  checkFormat,
  checkRegion,
  type Datatype,
  type HtsgetQuery,
} from './HtsgetQuery.ts'

const names = z.array(z.string())
/** A JSON body (htsget 1.3.0, "POST requests"); what the protocol does not know is ignored. */
const schema = z.looseObject({
  format: z.string().optional(),
  class: z.string().optional(),
  fields: names.optional(),
  tags: names.optional(),
  notags: names.optional(),
  encryptionScheme: z.string().optional(),
  regions: z
    .array(
      z.object({
        referenceName: z.string().min(1),
        start: z.number().optional(),
        end: z.number().optional(),
      }),
    )
    .min(1)
    .optional(),
})

/** What a GET has in its query and a POST in `regions`: were it ignored, the whole file would be the answer. */
const misplaced = ['referenceName', 'start', 'end']

/** The largest body that is read, in bytes. */
export const maxPostBytes = 1 << 20

/**
 * Reads the body of `POST /reads/{id}` and `/variants/{id}`; an absent body asks for the whole file.
 * @throws HtsgetError InvalidInput, InvalidRange, UnsupportedFormat, PayloadTooLarge
 */
export function parsePostBody(datatype: Datatype, body: string | undefined): HtsgetQuery {
  const given = schema.safeParse(parseJson(body))
  if (!given.success)
    throw new HtsgetError('InvalidInput', `the body cannot be used: ${describe(given.error)}`)
  const stray = misplaced.find(name => name in given.data)
  if (stray !== undefined) throw new HtsgetError('InvalidInput', `${stray} goes into an object of regions`)
  const { format, regions, encryptionScheme, fields, tags, notags } = given.data
  const headerOnly = given.data.class !== undefined && checkClass(given.data.class)
  if (headerOnly && (regions ?? fields ?? tags ?? notags) !== undefined)
    throw new HtsgetError('InvalidInput', 'class "header" does not go with regions, fields, tags or notags')
  return {
    datatype,
    headerOnly,
    ...(format !== undefined && { format: checkFormat(datatype, format) }),
    ...(regions && {
      regions: regions.map(({ referenceName, start, end }) =>
        checkRegion(
          { referenceName, ...(start !== undefined && { start }), ...(end !== undefined && { end }) },
          datatype,
          'POST',
        ),
      ),
    }),
    ...checkColumns(datatype, {
      ...(fields && { fields }),
      ...(tags && { tags }),
      ...(notags && { notags }),
    }),
    ...(encryptionScheme !== undefined && { encryptionScheme: checkEncryptionScheme(encryptionScheme) }),
  }
}

function parseJson(body: string | undefined): unknown {
  if (body === undefined || body.trim() === '') return {}
  if (body.length > maxPostBytes)
    throw new HtsgetError('PayloadTooLarge', `the body is larger than ${maxPostBytes} bytes`)
  try {
    return JSON.parse(body)
  } catch (cause) {
    throw new HtsgetError('InvalidInput', 'the body is not JSON', { cause })
  }
}

/** The paths that are wrong and what was expected there, without what was sent. */
const describe = (error: z.ZodError): string =>
  error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`)
    .join('; ')
