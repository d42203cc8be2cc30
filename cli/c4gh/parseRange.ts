import { InvalidArgumentError } from 'commander'

/** Bytes `start` (included) to `end` (excluded) of the plain text. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** `START-END`, `START-` or `START`: 0-based, the end excluded, as the reference command has it. */
export function parseRange(text: string): Range {
  const [, start, end] = /^(\d+)(?:-(\d*))?$/.exec(text) ?? []
  const range = { start: Number(start), end: end === undefined || end === '' ? Infinity : Number(end) }
  if (start === undefined || !(range.start < range.end) || !Number.isSafeInteger(range.start))
    throw new InvalidArgumentError(
      'expected START-END or START, in bytes, the end excluded and after the start',
    )
  return range
}
