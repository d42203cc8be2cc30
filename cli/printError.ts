import { HtsvaultError, type Place } from '#shared/errors.ts'
import { printable } from './printable.ts'

const placeNames: readonly [keyof Place, string][] = [
  ['record', 'record'],
  ['line', 'line'],
  ['segment', 'segment'],
  ['offset', 'byte'],
  ['virtualOffset', 'virtual offset'],
]

/** `x.bam, record 17, virtual offset 4242:100` */
export const formatPlace = (place: Partial<Record<keyof Place, string | number | undefined>>): string =>
  [
    place.file,
    ...placeNames
      .filter(([key]) => place[key] !== undefined)
      .map(([key, name]) => `${name} ${place[key] as string | number}`),
  ]
    .filter(part => part !== undefined)
    .join(', ')

/** Tells an error on stderr: what, where, and what to do; a stack only for a fault of our own. */
export function printError(error: unknown): void {
  if (!(error instanceof HtsvaultError)) {
    console.error(error)
    return
  }
  const place = error.place ? formatPlace(error.place) : ''
  const lines = error.message.split('\n').map(printable).join('\n')
  console.error(`htsvault: ${place === '' ? '' : `${printable(place)}: `}${lines} (${error.code})`)
  if (error.hint !== undefined) console.error(error.hint)
}
