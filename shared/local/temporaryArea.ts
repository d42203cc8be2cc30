import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { failedWith } from './folderErrors.ts'
import { isOfDeadProcess, newProcessName } from './processNames.ts'

export const temporaryFolder = '.tmp'

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
  const area = join(all, newProcessName())
  return () => {
    mkdirSync(area, { recursive: true })
    return join(area, randomUUID())
  }
}

function removeDead(all: string): void {
  try {
    for (const name of readdirSync(all)) {
      const area = join(all, name)
      if (isOfDeadProcess(name, () => statSync(area, { throwIfNoEntry: false })?.mtimeMs))
        rmSync(area, { recursive: true, force: true })
    }
  } catch (error) {
    if (!failedWith(error, 'ENOENT', 'EACCES', 'EPERM', 'EROFS')) throw error
  }
}
