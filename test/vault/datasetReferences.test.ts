import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterAll, beforeEach, expect, test } from '@jest/globals'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { createFileIndexer } from '#shared/indexes/createFileIndexer.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { indexInChunks } from '#test/support/indexing.ts'
import { folderVault } from '#test/support/folderVault.ts'

const scratch = mkdtempSync(join(tmpdir(), 'htsvault-references-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
const pair = generateKeyPair(nodeBackend)
let round = 0
let ports: VaultPorts
beforeEach(() => {
  const folder = join(scratch, String(++round))
  ports = folderVault(folder, pair)
})

const demo = (name: string) => readFile(join(import.meta.dirname, '..', '..', 'demo', name))
const put = (key: string, text: string) => ports.vault.put(key, Buffer.from(text))
async function take(name: string) {
  await ports.inbox.put(`d/${name}`, await demo(name))
  return ingestUpload(ports, `d/${name}`)
}
/** The demonstration's own references, with one changed. */
async function dictionary(change: (line: string) => string = line => line): Promise<string> {
  const { references } = indexInChunks(createFileIndexer(), await demo('child.bam'))
  return references.map(({ name, length }) => change(`@SQ\tSN:${name}\tLN:${length!}`)).join('\n')
}

const files = ['child.bam', 'child.cram', 'trio.vcf.gz', 'trio.bcf']

test.each(files)('%s is taken in where its references are those of the dataset', async name => {
  await put('d/dataset.json', '{"references":"demo.dict"}')
  await put('d/demo.dict', await dictionary())
  expect((await take(name)).state).toBe('served')
})

test.each(files)('%s is refused where they are not, and nothing of it is stored', async name => {
  await put('d/dataset.json', '{"references":"demo.dict"}')
  await put('d/demo.dict', await dictionary(line => line.replace(/SN:chr1\tLN:.*/, 'SN:chr1\tLN:12')))
  expect(await take(name)).toMatchObject({
    state: 'refused',
    report: { code: 'REFERENCES_DIFFER', message: expect.stringMatching(/chr1 has \d+ bases, there 12/) },
  })
  const keys: string[] = []
  for await (const { key } of ports.vault.list('')) keys.push(key)
  expect(keys).toEqual(['d/dataset.json', 'd/demo.dict'])
})

test('a large file is refused at its header: what comes behind it is not read', async () => {
  await put('d/dataset.json', '{"references":"demo.dict"}')
  await put('d/demo.dict', await dictionary(line => line.replace('SN:chr1', 'SN:chrOne')))
  const mebibytes = 40
  await ports.inbox.put('d/x.bam', Buffer.concat([await demo('child.bam'), Buffer.alloc(mebibytes << 20)]))
  const { inbox } = ports
  let read = 0
  const counting: VaultPorts = {
    ...ports,
    inbox: {
      ...inbox,
      async *stream(...of) {
        for await (const chunk of inbox.stream(...of)) {
          read += chunk.length
          yield chunk
        }
      },
    },
  }
  expect(await ingestUpload(counting, 'd/x.bam')).toMatchObject({
    state: 'refused',
    report: { code: 'REFERENCES_DIFFER' },
  })
  expect(read).toBeGreaterThan(0)
  expect(read).toBeLessThan(8 << 20)
})

test.each([
  ['{"references":"none.dict"}', 'DICTIONARY_INVALID', 'd/none.dict'],
  ['{"references":"bad.fai"}', 'DICTIONARY_INVALID', 'd/bad.fai'],
  ['{"references":"../other/x.dict"}', 'DATASET_SETTINGS_INVALID', 'd/dataset.json'],
])('%s is refused with its place', async (settings, code, file) => {
  await put('d/dataset.json', settings)
  await put('d/bad.fai', '>chr1')
  expect(await take('trio.bcf')).toMatchObject({ state: 'refused', report: { code, place: { file } } })
})

test('no thread is left waiting where an upload is refused before it is read', async () => {
  const threads = () => process.getActiveResourcesInfo().filter(name => name === 'MessagePort').length
  const before = threads()
  // Over 8 MiB: a file that is indexed in a thread of its own.
  await ports.inbox.put('d/x.bam', Buffer.concat([await demo('child.bam'), Buffer.alloc(9 << 20)]))
  for (const settings of ['{"recipients":["nonsense"]}', '{"references":1}']) {
    await put('d/dataset.json', settings)
    const refused = { state: 'refused', report: { code: 'DATASET_SETTINGS_INVALID' } }
    expect(await ingestUpload(ports, 'd/x.bam')).toMatchObject(refused)
    expect(threads()).toBe(before)
  }
  // One that is read has had a thread, and has none any more.
  await put('d/dataset.json', '{}')
  expect((await ingestUpload(ports, 'd/x.bam')).state).toBe('refused')
  expect(threads()).toBe(before)
})
