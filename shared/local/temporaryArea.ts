import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { failedWith } from './folderErrors.ts'

export const temporaryFolder = '.tmp'

/** What another machine left on a shared disk is taken for dead after so long without a new file, in ms. */
const foreignLifetime = 7 * 24 * 3600 * 1000

/** The areas in use by this process. */
const own = new Set<string>()

/**
 * This process's area for unfinished objects, `<root>/.tmp/<host>,<pid>,<random>`: on the file system of the finished
 * ones, so that a rename publishes them, and made with the first of them. The areas of processes that are no more are
 * removed here and now, where the folder can be written.
 *
 * @returns a function that names a new file in it.
 */
export function temporaryArea(root: string): () => string {
  const all = join(root, temporaryFolder)
  // A thread does not know the areas of its process.
  if (isMainThread) removeDead(all)
  const area = join(all, `${hostname()},${process.pid},${randomUUID()}`)
  return () => {
    own.add(area)
    mkdirSync(area, { recursive: true })
    return join(area, randomUUID())
  }
}

function removeDead(all: string): void {
  try {
    for (const name of readdirSync(all))
      if (isDead(all, name)) rmSync(join(all, name), { recursive: true, force: true })
  } catch (error) {
    if (!failedWith(error, 'ENOENT', 'EACCES', 'EPERM', 'EROFS')) throw error
  }
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
