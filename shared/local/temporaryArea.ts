import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { failedWith } from './folderErrors.ts'

export const temporaryFolder = '.tmp'

/** What another machine left on a shared disk is taken for dead after so long without a new file, in ms. */
const foreignLifetime = 7 * 24 * 3600 * 1000

/** The areas in use by this process. */
const own = new Set<string>()

/**
 * Makes this process's area for unfinished objects, `<root>/.tmp/<host>,<pid>,<random>`, on the file system of the
 * finished ones so that a rename publishes them; and removes the areas of processes that are no more.
 *
 * @returns a function that names a new file in it.
 */
export function temporaryArea(root: string): () => string {
  const all = join(root, temporaryFolder)
  mkdirSync(all, { recursive: true })
  for (const name of readdirSync(all))
    if (isDead(all, name)) rmSync(join(all, name), { recursive: true, force: true })
  const area = join(all, `${hostname()},${process.pid},${randomUUID()}`)
  own.add(area)
  mkdirSync(area)
  return () => join(area, randomUUID())
}

function isDead(all: string, name: string): boolean {
  const area = join(all, name)
  const [host, pid] = name.split(',')
  if (host !== hostname()) {
    const stat = statSync(area, { throwIfNoEntry: false })
    return stat !== undefined && Date.now() - stat.mtimeMs > foreignLifetime
  }
  if (Number(pid) === process.pid) return !own.has(area)
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    // EPERM: it lives, and is somebody else's.
    return failedWith(error, 'ESRCH')
  }
}
