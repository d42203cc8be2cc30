import { readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { median, shown, timeCommand, type Figures } from './timeCommand.ts'

export interface Contender {
  readonly name: string
  /** The command that indexes the file to `out`. */
  readonly command: (out: string) => readonly [command: string, ...args: string[]]
  /** Whose times its own are held against; nothing for a peer. */
  readonly against?: string
  /** Whether it writes an index, which must be the same as the others': yes unless told. */
  readonly writes?: false
}

const cli = join(import.meta.dirname, '..', 'cli', 'htsvault.js')

/** `htsvault index` by so many threads. */
export const ours = (file: string, threads: number, against: string, flags: readonly string[] = []) => ({
  name: `htsvault, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
  command: (out: string) =>
    [process.execPath, cli, 'index', ...flags, '--threads', `${threads}`, '-o', out, file] as const,
  against,
})

export const tableHead = 'file | MB | what | wall, CPU, peak | to | wall ratio | CPU ratio'

/**
 * Runs the contenders by turns and prints the medians, a row each.
 * @throws Error where one fails, or where the indexes they write differ
 */
export function compareIndexing(
  file: string,
  contenders: readonly Contender[],
  { runs, scratch }: { readonly runs: number; readonly scratch: string },
): void {
  const figures = new Map<string, Figures[]>(contenders.map(({ name }) => [name, []]))
  const outOf = (i: number) => join(scratch, `${i}.index`)
  for (let run = 0; run < runs; run++)
    for (const [i, { name, command }] of contenders.entries()) {
      const [program, ...args] = command(outOf(i))
      figures.get(name)!.push(timeCommand(program, args))
    }
  const indexes = contenders.flatMap(({ writes }, i) => (writes === false ? [] : [plainIndex(outOf(i))]))
  if (indexes.some(index => !index.equals(indexes[0]!))) throw new Error(`the indexes of ${file} differ`)

  const megabytes = (statSync(file).size / 1e6).toFixed(0)
  for (const { name, against } of contenders) {
    const mine = median(figures.get(name)!)
    const row = [basename(file), megabytes, name, shown(mine)]
    if (against !== undefined) {
      const peer = median(figures.get(against)!)
      row.push(against, (mine.wall / peer.wall).toFixed(2), (mine.cpu / peer.cpu).toFixed(2))
    }
    console.log(row.join(' | '))
  }
}

/** Compressors may differ, what they compressed may not. */
function plainIndex(path: string): Buffer {
  const bytes = readFileSync(path)
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
}
