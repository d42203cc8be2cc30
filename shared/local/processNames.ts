import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { failedWith } from './folderErrors.ts'

/** What another machine left on a shared disk is taken for dead after so long without a change, in ms. */
const foreignLifetime = 7 * 24 * 3600 * 1000

/** The names that this process gave. */
const own = new Set<string>()

/** A new name for what is unfinished, `<host>,<pid>,<random>`: it tells others whether who works on it is still there. */
export function newProcessName(): string {
  const name = `${hostname()},${process.pid},${randomUUID()}`
  own.add(name)
  return name
}

/**
 * Whether the process that gave this name is no more.
 * @param changed when what has the name was changed last, in ms; asked where nothing else tells
 */
export function isOfDeadProcess(name: string, changed: () => number | undefined): boolean {
  const [host, pid] = name.split(',')
  if (pid === undefined || host !== hostname())
    return Date.now() - (changed() ?? Date.now()) > foreignLifetime
  if (Number(pid) === process.pid) return !own.has(name)
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    // EPERM: it lives, and is somebody else's.
    return failedWith(error, 'ESRCH')
  }
}
