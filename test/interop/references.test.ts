import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, jest, test } from '@jest/globals'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import type { Reference } from '#shared/indexes/FileIndexer.ts'
import { HeaderReader } from '#shared/indexes/shards/HeaderReader.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import { folderVault } from '#test/support/folderVault.ts'
import { describeWithData, output, requireTools, sharedData, temporaryFolder } from '#test/support/interop.ts'

jest.setTimeout(120_000)

const folder = temporaryFolder()
const pair = generateKeyPair(nodeBackend)

/** As samtools tells them. */
async function samtoolsReferences(path: string): Promise<Reference[]> {
  const header = (await output('samtools', ['view', '-H', path])).toString()
  return header
    .split('\n')
    .filter(line => line.startsWith('@SQ\t'))
    .map(line => {
      const field = (tag: string) =>
        line
          .split('\t')
          .find(text => text.startsWith(tag))
          ?.slice(tag.length)
      const md5 = field('M5:')
      return { name: field('SN:')!, length: Number(field('LN:')), ...(md5 !== undefined && { md5 }) }
    })
}

function headerReferences(bytes: Uint8Array): readonly Reference[] {
  const reader = new HeaderReader()
  return (reader.push(bytes) ?? reader.finish()).references
}

requireTools('samtools')('the references of real headers', () => {
  describeWithData('reads', 'cram/3.0')('are those that samtools tells, MD5s too', () => {
    const files = ['reads', 'cram/3.0'].flatMap(where => {
      const path = sharedData(where)
      const names = path === undefined ? [] : readdirSync(path).filter(name => /\.(bam|cram)$/.test(name))
      return names.map(name => [name, join(path!, name)] as const)
    })

    test('each', async () => {
      let sums = 0
      for (const [name, path] of files) {
        const references = headerReferences(readFileSync(path))
        expect([name, references]).toEqual([name, await samtoolsReferences(path)])
        sums += references.filter(({ md5 }) => md5 !== undefined).length
      }
      expect(files.length).toBeGreaterThan(50)
      expect(sums).toBeGreaterThan(200)
    })

    test('wherever in its line the M5 stands', async () => {
      const path = sharedData('reads/htsnexus_test_NA12878.bam')!
      const swap = String.raw`sed -E 's/^(@SQ)(.*)\t(M5:[0-9a-f]+)/\1\t\3\2/'`
      const bytes = await output('samtools', ['reheader', '-c', swap, path])
      expect(headerReferences(bytes)).toEqual(await samtoolsReferences(path))
    })
  })

  describeWithData('cram/3.0/1402_index_3ref.cram', 'cram/ce.fa')(
    'are compared with the dictionary that samtools makes',
    () => {
      const cram = sharedData('cram/3.0/1402_index_3ref.cram')!
      const reference = sharedData('cram/ce.fa')!
      const toBam = () => output('samtools', ['view', '-b', '-T', reference, cram])

      test.each([
        ['CRAM', async () => readFileSync(cram)],
        ['BAM', toBam],
      ])('%s', async (format, bytes) => {
        const ports = folderVault(join(folder, format), pair)
        const dictionary = (await output('samtools', ['dict', reference])).toString()
        await ports.vault.put('d/dataset.json', Buffer.from('{"references":"ce.dict"}'))
        const take = async (text: string) => {
          await ports.vault.put('d/ce.dict', Buffer.from(text))
          await ports.inbox.put('d/x', await bytes())
          return ingestUpload(ports, 'd/x')
        }
        expect(await take(dictionary)).toMatchObject({ state: 'served', manifest: { format } })

        const { name, md5 } = headerReferences(await bytes())[0]!
        expect(dictionary).toContain(`M5:${md5!}`)
        expect(await take(dictionary.replace(md5!, '0'.repeat(32)))).toMatchObject({
          state: 'refused',
          report: {
            code: 'REFERENCES_DIFFER',
            message: expect.stringContaining(`${name} is another sequence of the same length (MD5)`),
          },
        })
      })
    },
  )
})
