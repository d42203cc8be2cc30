import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectStore } from '#shared/vault/ports/ObjectStore.ts'

/** The uploads that a new vault begins with: a child's reads and a trio's variants, synthetic. */
export const demoFiles = ['demo/child.bam', 'demo/child.cram', 'demo/trio.vcf.gz', 'demo/trio.bcf']

const folder = join(import.meta.dirname, '..', '..', 'demo')

/** Puts the demonstration files into the inbox of a vault that never had them; they take the way of any upload. */
export async function uploadDemo(data: string, inbox: ObjectStore): Promise<void> {
  const mark = join(data, '.demo')
  if (existsSync(mark)) return
  for (const file of demoFiles)
    await inbox.put(file, await readFile(join(folder, file.slice('demo/'.length))))
  await writeFile(mark, 'The demonstration files were uploaded once; delete this file to have them again.\n')
}
