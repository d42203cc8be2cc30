import { HtsgetError } from './HtsgetError.ts'
import {
  checkClass,
  checkColumns,
  checkEncryptionScheme,
  checkFormat,
  checkRegion,
  queryParameters,
  safe,
  type Datatype,
  type HtsgetQuery,
  type QueryRegion,
} from './HtsgetQuery.ts'

/** The query string's parameters, each with all its values, decoded. */
export type QueryParameters = Readonly<Record<string, readonly string[] | undefined>>

/**
 * Reads the parameters of `GET /reads/{id}` and `/variants/{id}` (htsget 1.3.0, "GET requests"). Parameters that the
 * protocol does not know are ignored.
 * @throws HtsgetError InvalidInput, InvalidRange, UnsupportedFormat
 */
export function parseGetQuery(datatype: Datatype, parameters: QueryParameters): HtsgetQuery {
  const given: Partial<Record<(typeof queryParameters)[number], string>> = {}
  for (const name of queryParameters) {
    const values = parameters[name] ?? []
    if (values.length > 1) throw new HtsgetError('InvalidInput', `${name} is given ${values.length} times`)
    if (values[0] !== undefined) given[name] = values[0]
  }
  const headerOnly = given.class !== undefined && checkClass(given.class)
  if (headerOnly)
    for (const name of ['referenceName', 'start', 'end', 'fields', 'tags', 'notags'] as const)
      if (given[name] !== undefined)
        throw new HtsgetError('InvalidInput', `class=header does not go with ${name}`)
  const region = regionOf(given, datatype)
  return {
    datatype,
    headerOnly,
    ...(given.format !== undefined && { format: checkFormat(datatype, given.format) }),
    ...(region && { regions: [region] }),
    ...checkColumns(datatype, {
      ...(given.fields !== undefined && { fields: listOf(given.fields) }),
      ...(given.tags !== undefined && { tags: listOf(given.tags) }),
      ...(given.notags !== undefined && { notags: listOf(given.notags) }),
    }),
    ...(given.encryptionScheme !== undefined && {
      encryptionScheme: checkEncryptionScheme(given.encryptionScheme),
    }),
  }
}

function regionOf(
  { referenceName, start, end }: Partial<Record<'referenceName' | 'start' | 'end', string>>,
  datatype: Datatype,
): QueryRegion | undefined {
  if (referenceName === undefined) {
    if (start !== undefined || end !== undefined)
      throw new HtsgetError('InvalidInput', 'start and end go with a referenceName')
    return undefined
  }
  if (referenceName === '') throw new HtsgetError('InvalidInput', 'referenceName is empty')
  return checkRegion(
    {
      referenceName,
      ...(start !== undefined && { start: positionOf('start', start) }),
      ...(end !== undefined && { end: positionOf('end', end) }),
    },
    datatype,
    'GET',
  )
}

function positionOf(name: string, text: string): number {
  if (!/^\d{1,10}$/.test(text))
    throw new HtsgetError('InvalidInput', `${name} is to be an integer, not ${safe(text)}`)
  return Number(text)
}

/** `a,b` as a list; the empty string is the empty list: `tags=` asks for none. */
const listOf = (text: string): string[] => (text === '' ? [] : text.split(','))
