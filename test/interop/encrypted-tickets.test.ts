import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { writePrivateKey } from '#shared/crypt4gh/keys/writePrivateKey.ts'
import { writePublicKey } from '#shared/crypt4gh/keys/writePublicKey.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { newKeys } from '#test/crypt4gh/support.ts'
import { openPage } from '#test/support/chromium.ts'
import { output, requireTools, run, sharedData, temporaryFolder } from '#test/support/interop.ts'
import type { TicketJson } from '#test/support/joinTicket.ts'
import { VaultProcess } from '#test/support/VaultProcess.ts'

const folder = temporaryFolder()
const root = join(import.meta.dirname, '..', '..')
const [client, lab] = [newKeys(), newKeys()]
const secretKey = join(folder, 'client.sec')
const labKey = join(folder, 'lab.sec')
/** What sda-cli puts into the header: base64 of the whole file. */
const keyHeader = Buffer.from(writePublicKey(client.publicKey)).toString('base64')

const vault = new VaultProcess()
afterAll(() => vault.remove())

beforeAll(async () => {
  for (const [path, keys] of [
    [secretKey, client],
    [labKey, lab],
  ] as const)
    // prettier-ignore
    writeFileSync(path, await writePrivateKey(keys.secretKey, nodeBackend), { mode: 0o600 })
  for (const [dataset, settings] of Object.entries({
    stored: { recipients: [writePublicKey(lab.publicKey)] },
    fresh: { freshKeys: true },
    plain: { encryption: 'none' },
  })) {
    mkdirSync(join(vault.data, 'vault', dataset), { recursive: true })
    writeFileSync(join(vault.data, 'vault', dataset, 'dataset.json'), JSON.stringify(settings))
  }
  await vault.start('--no-demo')
  for (const dataset of ['stored', 'fresh', 'plain'])
    for (const name of ['child.bam', 'child.cram', 'trio.vcf.gz', 'trio.bcf'])
      await vault.upload(`${dataset}/${name}`, join(root, 'demo', name))
  const real = sharedData('reads/htsnexus_test_NA12878.bam')
  if (real) await vault.upload('stored/NA12878.bam', real)
}, 120_000)

/** Takes a ticket and its URLs as sda-cli does: what is not a 200 is a failure, and of the headers only Range is sent. */
async function download(path: string, headers: Record<string, string>): Promise<Buffer> {
  const reply = await fetch(vault.url + path, {
    headers: { Authorization: 'Bearer abc.def.ghi', ...headers },
  })
  expect(reply.status).toBe(200)
  const { urls } = ((await reply.json()) as TicketJson).htsget
  const parts: Buffer[] = []
  for (const { url, headers: asked } of urls) {
    if (url.includes('data:;')) {
      parts.push(Buffer.from(url.split('data:;base64,')[1]!, 'base64'))
      continue
    }
    const range = asked?.['Range']
    const sent = { Authorization: 'Bearer abc.def.ghi', 'Client-Public-Key': keyHeader }
    const part = await fetch(url, { headers: { ...sent, ...(range !== undefined && { Range: range }) } })
    expect(part.status).toBe(200)
    parts.push(Buffer.from(await part.arrayBuffer()))
  }
  return Buffer.concat(parts)
}

const ours = (key: string, input: Buffer) =>
  output(process.execPath, ['cli/htsvault.js', 'c4gh', 'decrypt', '-s', key], {
    input,
    cwd: root,
    env: { NODE_OPTIONS: '' },
  })
const python = (key: string, input: Buffer) =>
  output('crypt4gh', ['decrypt', '--sk', key], { input, env: { C4GH_SECRET_KEY: undefined } })

async function records(datatype: string, file: Buffer): Promise<string> {
  const args = datatype === 'reads' ? ['view', '--no-PG', '-'] : ['view', '-H', '-']
  return (await output(datatype === 'reads' ? 'samtools' : 'bcftools', args, { input: file })).toString(
    'latin1',
  )
}

const files = [
  ['reads', 'child', 'BAM'],
  ['reads', 'child', 'CRAM'],
  ['variants', 'trio', 'VCF'],
  ['variants', 'trio', 'BCF'],
] as const
const queries = ['', '&referenceName=chr1', '&referenceName=chr1&start=10000&end=20000', '&referenceName=chr3', '&class=header'] // prettier-ignore

let found = 0

requireTools(
  'crypt4gh',
  'samtools',
  'bcftools',
)('ciphertext by htsget, as sda-cli asks for it', () => {
  describe.each(['stored', 'fresh', 'plain'])('dataset %s', dataset => {
    test.each(files)(
      '/%s/%s, %s',
      async (datatype, id, format) => {
        for (const query of queries) {
          const path = `/${datatype}/${dataset}/${id}?format=${format}${query}`
          const joined = await download(`${path}&encryptionScheme=C4GH`, {
            'Htsget-Context-Public-Key': keyHeader,
          })
          expect(joined.subarray(0, 8).toString()).toBe('crypt4gh')
          const decrypted = await python(secretKey, joined)
          if (query === '') expect(decrypted.equals(await ours(secretKey, joined))).toBe(true)
          const plain = await download(path, {})
          const got = await records(datatype, decrypted)
          expect(got).toBe(await records(datatype, plain))
          found += got.split('\n').length - 1
          // Another key opens nothing.
          if (query === '') expect((await run('crypt4gh', ['decrypt', '--sk', labKey], { input: joined, env: { C4GH_SECRET_KEY: undefined } })).code).not.toBe(0) // prettier-ignore
        }
      },
      120_000,
    )
  })

  test('and that was not little', () => expect(found).toBeGreaterThan(10_000))

  test('without a key, as the compliance suite asks: for the recipients of the dataset', async () => {
    for (const [datatype, id, format] of files) {
      const path = `/${datatype}/stored/${id}?format=${format}`
      const joined = await download(`${path}&encryptionScheme=c4gh`, {})
      const original = readFileSync(join(root, 'demo', `${id}.${format === 'VCF' ? 'vcf.gz' : format.toLowerCase()}`)) // prettier-ignore
      expect((await python(labKey, joined)).equals(original)).toBe(true)
      const refused = await fetch(`${vault.url}${path.replace('stored', 'fresh')}&encryptionScheme=c4gh`)
      expect(refused.status).toBe(400)
      expect(await refused.json()).toMatchObject({ htsget: { error: 'InvalidInput' } })
    }
  }, 60_000)

  const real = sharedData('reads/htsnexus_test_NA12878.bam')
  ;(real ? test : test.skip)(
    'real reads, by POST, many regions',
    async () => {
      const regions = Array.from({ length: 30 }, (_, i) => ({
        referenceName: '11',
        start: 5_000_000 + i * 120,
        end: 5_000_000 + i * 120 + 100,
      }))
      for (const count of [1, 2, 30]) {
        const ask = async (body: object) => {
          const reply = await fetch(`${vault.url}/reads/stored/NA12878`, {
            method: 'POST',
            body: JSON.stringify({ regions: regions.slice(0, count), ...body }),
            headers: { 'Htsget-Context-Public-Key': keyHeader },
          })
          expect(reply.status).toBe(200)
          const { urls } = ((await reply.json()) as TicketJson).htsget
          const parts = await Promise.all(urls.map(async ({ url }) => (await fetch(url)).arrayBuffer()))
          return Buffer.concat(parts.map(part => Buffer.from(part)))
        }
        const decrypted = await python(secretKey, await ask({ encryptionScheme: 'crypt4gh' }))
        const got = await records('reads', decrypted)
        expect(got).toBe(await records('reads', await ask({})))
        expect(got.length).toBeGreaterThan(10_000)
      }
    },
    60_000,
  )
})

requireTools('chromium')('ciphertext by htsget, in Chromium', () => {
  const profile = temporaryFolder()

  test.each([
    ['stored', '&referenceName=chr1&start=10000&end=20000'],
    ['fresh', ''],
  ])(
    'dataset %s: a page of another origin asks, joins and decrypts',
    async (dataset, query) => {
      const { tab, close } = await openPage(join(profile, dataset))
      try {
        const path = `/reads/${dataset}/child?format=BAM${query}`
        const base64 = await tab.evaluate(
          async ([url, keyText, header]) => {
            const { decryptStream, portableBackend, readPrivateKey } = globalThis.library
            const reply = await fetch(url!, { headers: { 'Htsget-Context-Public-Key': header! } })
            const { urls } = ((await reply.json()) as { htsget: { urls: { url: string }[] } }).htsget
            const parts: Uint8Array<ArrayBuffer>[] = []
            for (const { url: part } of urls)
              parts.push(new Uint8Array(await (await fetch(part)).arrayBuffer()))
            const pair = await readPrivateKey(new TextEncoder().encode(keyText), portableBackend)
            let text = ''
            for await (const chunk of decryptStream(parts, pair, portableBackend))
              text += Array.from(chunk, byte => String.fromCharCode(byte)).join('')
            return btoa(text)
          },
          [`${vault.url}${path}&encryptionScheme=crypt4gh`, readFileSync(secretKey, 'utf8'), keyHeader],
        )
        const joined = await download(`${path}&encryptionScheme=crypt4gh`, { 'Htsget-Context-Public-Key': keyHeader }) // prettier-ignore
        expect(Buffer.from(base64, 'base64').equals(await ours(secretKey, joined))).toBe(true)
        expect(base64.length).toBeGreaterThan(1000)
      } finally {
        await close()
      }
    },
    120_000,
  )
})
