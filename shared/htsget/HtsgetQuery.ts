import type { Format } from '#shared/indexes/FileIndexer.ts'
import { HtsgetError } from './HtsgetError.ts'

/** The parameters of a GET that htsget knows. */
export const queryParameters = [
  'format',
  'class',
  'referenceName',
  'start',
  'end',
  'fields',
  'tags',
  'notags',
  'encryptionScheme',
] as const

/** The two kinds of things that htsget serves. */
export type Datatype = 'reads' | 'variants'

/** A region as it was asked for: 0-based, half-open; without `start` from the beginning, without `end` to the end. */
export interface QueryRegion {
  /** `*` (reads): the records without a position. */
  readonly referenceName: string
  readonly start?: number
  readonly end?: number
}

export type EncryptionScheme = 'crypt4gh' | 'c4gh'

/** A valid request for a ticket. */
export interface HtsgetQuery {
  readonly datatype: Datatype
  /** Absent: the datatype's default, BAM or VCF. */
  readonly format?: Format
  /** `class=header`: the header alone. */
  readonly headerOnly: boolean
  /** Absent: the whole file. */
  readonly regions?: readonly QueryRegion[]
  readonly fields?: readonly string[]
  readonly tags?: readonly string[]
  readonly notags?: readonly string[]
  /** Absent: plain bytes. `c4gh` is the older spelling: who uses it is a client of before the draft. */
  readonly encryptionScheme?: EncryptionScheme
}

/** The formats of a datatype, its default first. */
export const formatsOf: Readonly<Record<Datatype, readonly [Format, Format]>> = {
  reads: ['BAM', 'CRAM'],
  variants: ['VCF', 'BCF'],
}

const knownFields = new Set('QNAME FLAG RNAME POS MAPQ CIGAR RNEXT PNEXT TLEN SEQ QUAL'.split(' '))
const maxPosition = 2 ** 32 - 1

/** @throws HtsgetError UnsupportedFormat */
export function checkFormat(datatype: Datatype, format: string): Format {
  const found = formatsOf[datatype].find(known => known === format.toUpperCase())
  if (!found)
    throw new HtsgetError(
      'UnsupportedFormat',
      `format is to be one of ${formatsOf[datatype].join(', ')} for ${datatype}`,
    )
  return found
}

/** @throws HtsgetError InvalidInput */
export function checkClass(value: string): true {
  if (value !== 'header') throw new HtsgetError('InvalidInput', 'class can only be "header"')
  return true
}

/** @throws HtsgetError InvalidInput */
export function checkEncryptionScheme(value: string): EncryptionScheme {
  const scheme = value.toLowerCase()
  if (scheme !== 'crypt4gh' && scheme !== 'c4gh')
    throw new HtsgetError('InvalidInput', 'encryptionScheme can only be "crypt4gh"')
  return scheme
}

/** What `fields`, `tags` and `notags` say together. @throws HtsgetError InvalidInput */
export function checkColumns(
  datatype: Datatype,
  columns: Pick<HtsgetQuery, 'fields' | 'tags' | 'notags'>,
): Pick<HtsgetQuery, 'fields' | 'tags' | 'notags'> {
  const unknown = datatype === 'reads' ? columns.fields?.find(field => !knownFields.has(field)) : undefined
  if (unknown !== undefined)
    throw new HtsgetError('InvalidInput', `fields names a column that there is not: ${safe(unknown)}`)
  // A body has room for so many names that looking for each in a list would take seconds.
  const left = new Set(columns.notags)
  const both = columns.tags?.find(tag => left.has(tag))
  if (both !== undefined) throw new HtsgetError('InvalidInput', `tags and notags both name ${safe(both)}`)
  return columns
}

/**
 * One region, checked. `start === end` is a region without a base on GET and an error on POST (htsget 1.3.0).
 * @throws HtsgetError InvalidInput, InvalidRange
 */
export function checkRegion(region: QueryRegion, datatype: Datatype, method: 'GET' | 'POST'): QueryRegion {
  const { referenceName, start, end } = region
  for (const [name, value] of Object.entries({ start, end }))
    if (value !== undefined && !(Number.isInteger(value) && value >= 0 && value <= maxPosition))
      throw new HtsgetError('InvalidInput', `${name} is to be an integer from 0 to ${maxPosition}`)
  if (referenceName === '*' && datatype === 'reads' && (start !== undefined || end !== undefined))
    throw new HtsgetError('InvalidInput', 'start and end go with a reference, not with referenceName "*"')
  if (end !== undefined && (start ?? 0) > end)
    throw new HtsgetError('InvalidRange', 'start is greater than end')
  if (method === 'POST' && end !== undefined && (start ?? 0) === end)
    throw new HtsgetError('InvalidRange', 'start is to be less than end')
  return region
}

/** What a client sent, made safe to send back: short, printable ASCII. */
export const safe = (text: string): string => JSON.stringify(text.slice(0, 40).replace(/[^\x20-\x7e]/g, '?'))
