import { expect, test } from '@jest/globals'
import { build } from 'esbuild'

const root = new URL('../..', import.meta.url).pathname

async function bundled(...modules: string[]): Promise<{ names: string[]; imported: string[] }> {
  const { metafile } = await build({
    stdin: {
      contents: modules.map((module, i) => `export * as m${i} from '#shared/client/${module}.ts'`).join('\n'),
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    // @gmod's own file handles for local files, which the client does not use.
    external: ['fs', 'fs/promises'],
    metafile: true,
    logLevel: 'silent',
  })
  const inputs = Object.entries(metafile.inputs)
  return {
    names: inputs.map(([path]) => path),
    imported: inputs
      .filter(([path]) => path.startsWith('shared/'))
      .flatMap(([, { imports }]) => imports.map(({ path }) => path)),
  }
}

test('bytes and records bundle for a browser, our code without one node: module', async () => {
  const { names, imported } = await bundled(
    'streamFile',
    'streamRecords',
    'samtoolsRegion',
    'records/readIndexedVcf',
    'records/fastaReference',
    'records/refgetReference',
  )
  expect(names).toContain('shared/client/blocks/fetchBlock.ts')
  expect(names).toContain('shared/client/records/readCram.ts')
  expect(names).toContain('shared/crypt4gh/decryptStream.ts')
  expect(imported.filter(path => path.startsWith('node:'))).toEqual([])
  expect(names.filter(name => name.includes('crypt4gh/node/') || name.endsWith('bgzf/bgzfBlock.ts'))).toEqual(
    [],
  )
})

test('bytes alone take no reader of records along', async () => {
  const { names } = await bundled('streamFile')
  expect(names.filter(name => name.includes('@gmod/') || name.includes('client/records/'))).toEqual([])
})
