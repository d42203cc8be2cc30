import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { folderError, isAbsence } from './folderErrors.ts'
import { isItself, keyProblem } from './folderKeys.ts'

/**
 * Every file below `root` whose key begins with `prefix`, in the order of the keys' UTF-8 bytes; neither hidden files
 * nor symbolic links, nor what has a name that no key can have. Memory: the names of the folders on the way to the current one.
 */
export async function* listFolder(
  root: string,
  prefix: string,
): AsyncGenerator<{ readonly key: string; readonly path: string }> {
  const parts = prefix.split('/').slice(0, -1)
  // A key has no such part, so none begins with this prefix; `..` would leave the folder.
  if (parts.some(part => part === '' || part.startsWith('.') || part.includes('\0'))) return
  const folder = join(root, ...parts)
  if (!(await isItself(folder))) return
  yield* below(folder, parts.map(part => `${part}/`).join(''), prefix)
}

async function* below(
  folder: string,
  base: string,
  prefix: string,
): AsyncGenerator<{ readonly key: string; readonly path: string }> {
  for (const { key, isFolder, name } of await entriesOf(folder, base)) {
    if (isFolder ? !(key.startsWith(prefix) || prefix.startsWith(key)) : !key.startsWith(prefix)) continue
    if (isFolder) yield* below(join(folder, name), key, prefix)
    else if (keyProblem(key) === undefined) yield { key, path: join(folder, name) }
  }
}

/** A folder sorts as its name with the slash that its keys have there: `a.b` < `a/b` < `ab`. */
async function entriesOf(folder: string, base: string) {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (isAbsence(error)) return []
    throw folderError(error, base)
  })
  return entries
    .filter(entry => !entry.name.startsWith('.') && (entry.isFile() || entry.isDirectory()))
    .map(entry => {
      const isFolder = entry.isDirectory()
      const key = base + entry.name + (isFolder ? '/' : '')
      return { key, bytes: Buffer.from(key), isFolder, name: entry.name }
    })
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
}
