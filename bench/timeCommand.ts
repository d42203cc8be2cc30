import { spawnSync } from 'node:child_process'

/** What a whole process took. */
export interface Figures {
  /** Seconds. */
  readonly wall: number
  /** Seconds of all threads. */
  readonly cpu: number
  /** The most memory it held, MB. */
  readonly peak: number
}

/** Runs a command under GNU time. @throws Error where it fails */
export function timeCommand(command: string, args: readonly string[]): Figures {
  const { status, stderr } = spawnSync('time', ['-f', '%e %U %S %M', command, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (status !== 0) throw new Error(`${command}: ${stderr}`)
  const [wall, user, system, peak] = stderr.trim().split('\n').at(-1)!.split(' ').map(Number) as [
    number,
    number,
    number,
    number,
  ]
  return { wall, cpu: user + system, peak: peak / 1000 }
}

/** The one with the median wall time. */
export const median = (runs: readonly Figures[]): Figures =>
  runs.toSorted((a, b) => a.wall - b.wall)[runs.length >> 1]!

export const shown = ({ wall, cpu, peak }: Figures): string =>
  `${wall.toFixed(2)} s, ${cpu.toFixed(2)} s CPU, ${peak.toFixed(0)} MB`
