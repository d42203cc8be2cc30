import { HtsvaultError } from '#shared/errors.ts'
import { optionalFields, type OptionalField, type RecordColumns } from './RecordColumns.ts'

/** One letter for each field: a code goes into every URL of a ticket. */
const letters: Readonly<Record<OptionalField, string>> = {
  QNAME: 'N',
  MAPQ: 'M',
  RNEXT: 'R',
  PNEXT: 'P',
  TLEN: 'T',
  SEQ: 'S',
  QUAL: 'Q',
}

/** Columns as a short text: the letters of the fields, `+` or `-`, and the tags that are, or are not, asked for. */
export const writeColumns = ({ fields, tags }: RecordColumns): string =>
  [
    ...optionalFields.filter(field => fields.has(field)).map(field => letters[field]),
    tags.kind === 'only' ? '+' : '-',
    ...tags.names,
  ].join('')

/** @throws HtsvaultError TOKEN_INVALID where the text is not one that `writeColumns` makes */
export function readColumns(code: string): RecordColumns {
  const [, fields, sign, names] = /^([NMRPTSQ]*)([+-])((?:[!-~]{2})*)$/.exec(code) ?? []
  if (fields === undefined || names === undefined)
    throw new HtsvaultError('TOKEN_INVALID', 'the data URL names columns that cannot be read', {
      hint: 'Ask for a ticket, and use its URLs as they are.',
    })
  return {
    fields: new Set(optionalFields.filter(field => fields.includes(letters[field]))),
    tags: { kind: sign === '+' ? 'only' : 'but', names: new Set(names.match(/../g)) },
  }
}
