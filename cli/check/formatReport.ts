import { formatPlace } from '../printError.ts'
import type { FaultyFile, SoundFile } from './checkFile.ts'

/** The report of one file, for people to read. */
export const formatReport = (checked: SoundFile | FaultyFile): string => {
  const lines = checked.sound ? soundLines(checked) : faultyLines(checked)
  const text = lines.map(([name, value]) => `  ${name.padEnd(10)}  ${value}\n`).join('')
  return `${checked.file}: ${checked.sound ? 'sound' : 'not sound'}\n${text}`
}

type Line = readonly [name: string, value: string]

function soundLines(checked: SoundFile): Line[] {
  const { format, formatVersion, references, records, unplacedRecords, index } = checked
  const bases = references.reduce((sum, { length = 0 }) => sum + length, 0)
  const isOfReads = format === 'BAM' || format === 'CRAM'
  return [
    ['format', `${format} ${formatVersion}`],
    ['references', references.length === 0 ? 'none' : `${number(references.length)}, ${number(bases)} bases`],
    ['records', number(records)],
    ...(isOfReads ? [['unplaced', number(unplacedRecords)] as const] : []),
    ['sort order', checked.sortOrder],
    ['header end', format === 'CRAM' ? `byte ${checked.headerEnd}` : `virtual offset ${checked.headerEnd}`],
    ['size', `${number(checked.size)} bytes`],
    ['sha256', checked.sha256],
    ['md5', checked.md5],
    ['index', `${index.kind}, ${number(index.size)} bytes`],
  ]
}

function faultyLines({ error }: FaultyFile): Line[] {
  const where = formatPlace({ ...error.place, file: undefined })
  return [
    ['what', `${error.message} (${error.code})`],
    ...(where === '' ? [] : [['where', where] as const]),
    ...(error.hint === undefined ? [] : [['to do', error.hint] as const]),
  ]
}

const number = (value: number): string => value.toLocaleString('en')
