import type { FileStatus } from '#shared/vault/StatusBoard.ts'
import { printable } from '../printable.ts'
import { formatPlace } from '../printError.ts'

const units = ['bytes', 'kB', 'MB', 'GB', 'TB']

/** `1.2 MB` */
export function formatBytes(bytes: number): string {
  const unit = Math.min(units.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3))
  return `${(bytes / 1000 ** unit).toFixed(unit === 0 ? 0 : 1)} ${units[unit]!}`
}

/** One line for a file's new state; a refusal says what is wrong and what to do. */
export function formatStatus(status: FileStatus): string {
  const { dataset, name, state, bytes, format, records, shards, code, message, place, hint } = status
  const line = `${state.padEnd(9)} ${printable(`${dataset}/${name}`)}  ${formatBytes(bytes)}`
  if (state === 'served') return `${line}  ${format ?? ''}, ${records ?? 0} records`
  if (shards) return `${line}  ${shards.done} of ${shards.of} shards`
  if (code === undefined) return line
  const where = place ? formatPlace({ ...place, file: undefined }) : ''
  return [
    `${line}  ${code}: ${printable(message ?? '')}${where === '' ? '' : ` (${where})`}`,
    hint && `          ${hint}`,
  ]
    .filter(Boolean)
    .join('\n')
}

/** Whether a state is worth a line in the terminal: of a file's shards, those that end a tenth of it. */
export function isWorthALine({ shards }: FileStatus): boolean {
  if (!shards) return true
  const tenths = (done: number) => Math.floor((10 * done) / shards.of)
  return tenths(shards.done) > tenths(shards.done - 1)
}

/** What to try next: commands to copy. */
export function describeVault(url: string, data: string, files: readonly FileStatus[]): string {
  const isServed = (id: string, ...formats: string[]) =>
    files.some(f => f.id === id && f.state === 'served' && formats.includes(f.format ?? ''))
  const commands = [
    isServed('demo/child', 'BAM') &&
      `  samtools view '${url}/reads/demo/child?referenceName=chr1&start=10000&end=20000'`,
    isServed('demo/trio', 'VCF') &&
      `  bcftools view -H '${url}/variants/demo/trio?referenceName=chr1&start=10000&end=20000'`,
    isServed('demo/child', 'CRAM') && `  curl '${url}/reads/demo/child?format=CRAM&referenceName=chr2'`,
  ].filter(Boolean)
  return [
    '',
    ...(commands.length > 0 ? ['Query by region:', ...commands, ''] : []),
    'Upload a file of your own, then look at its state:',
    `  curl -T sample.bam ${url}/inbox/study/sample.bam        (or copy it to ${data}/inbox/study/)`,
    `  curl ${url}/status`,
    `  samtools view '${url}/reads/study/sample?referenceName=chr1&start=0&end=1000000'`,
    '',
    'Ctrl-C ends the vault; everything is there at the next start.',
    '',
  ].join('\n')
}

/** The same of a vault that nobody reads without a token. */
export const describeClosedVault = (url: string, data: string): string =>
  [
    '',
    'Who may read a dataset stands in its dataset.json (docs/access.md); who is not named may not.',
    'With an access token in the file TOKEN:',
    `  curl -H "Authorization: Bearer $(cat TOKEN)" ${url}/reads/study/sample`,
    "  export HTS_AUTH_LOCATION=TOKEN HTS_ALLOW_UNENCRYPTED_AUTHORIZATION_HEADER='I understand the risks'",
    `  samtools view '${url}/reads/study/sample?referenceName=chr1&start=0&end=1000000'`,
    '',
    `Upload a file by copying it to ${data}/inbox/<dataset>/; its state is told here.`,
    'Ctrl-C ends the vault; everything is there at the next start.',
    '',
  ].join('\n')
