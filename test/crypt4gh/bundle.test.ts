import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { build } from 'esbuild'

test('the portable library bundles for a browser without one node: module', async () => {
  const { metafile, outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'browserEntry.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    metafile: true,
    logLevel: 'silent',
  })
  const inputs = Object.entries(metafile.inputs)
  const names = inputs.map(([path]) => path)
  // The whole of the library but its node backend is in there.
  expect(names).toContain('shared/crypt4gh/decryptStream.ts')
  expect(names).toContain('shared/crypt4gh/keys/openssh.ts')
  expect(names.filter(name => name.includes('crypt4gh/node/'))).toEqual([])
  const imported = inputs.flatMap(([, { imports }]) => imports.map(({ path }) => path))
  expect(imported.filter(path => path.startsWith('node:'))).toEqual([])
  expect(outputFiles[0]!.text).not.toMatch(/\bfrom\s*["']node:/)
})
