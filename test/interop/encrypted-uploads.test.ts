import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { writePrivateKey } from '#shared/crypt4gh/keys/writePrivateKey.ts'
import { writePublicKey } from '#shared/crypt4gh/keys/writePublicKey.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { newKeys } from '#test/crypt4gh/support.ts'
import { output, requireTools, temporaryFolder } from '#test/support/interop.ts'
import { VaultProcess } from '#test/support/VaultProcess.ts'

const folder = temporaryFolder()
const root = join(import.meta.dirname, '..', '..')
const demo = (name: string) => join(root, 'demo', name)
const [sender, lab] = [newKeys(), newKeys()]
const keyFiles = { sender: join(folder, 'sender.sec'), lab: join(folder, 'lab.sec') }

const vault = new VaultProcess()
afterAll(() => vault.remove())
beforeAll(async () => {
  for (const [path, { secretKey }] of [
    [keyFiles.sender, sender],
    [keyFiles.lab, lab],
  ] as const)
    writeFileSync(path, await writePrivateKey(secretKey, nodeBackend), { mode: 0o600 })
  mkdirSync(join(vault.data, 'vault', 'study'), { recursive: true })
  const settings = { recipients: [writePublicKey(lab.publicKey)] }
  writeFileSync(join(vault.data, 'vault', 'study', 'dataset.json'), JSON.stringify(settings))
  await vault.start('--no-demo')
}, 60_000)

/** What an uploader does: the key from where the vault shows it, then the tool. */
const tools = {
  'the Python reference': async (plain: Buffer) => {
    const vaultKey = join(vault.data, 'keys', 'vault.pub')
    return output('crypt4gh', ['encrypt', '--sk', keyFiles.sender, '--recipient_pk', vaultKey], {
      input: plain,
      env: { C4GH_SECRET_KEY: undefined },
    })
  },
  'htsvault c4gh': async (plain: Buffer) => {
    const reply = await fetch(`${vault.url}/reads/service-info`)
    const { crypt4gh } = (await reply.json()) as { crypt4gh: { publicKey: string } }
    writeFileSync(join(folder, 'service.pub'), crypt4gh.publicKey)
    const args = ['cli/htsvault.js', 'c4gh', 'encrypt', '-p', join(folder, 'service.pub')]
    return output(process.execPath, args, { input: plain, cwd: root, env: { NODE_OPTIONS: '' } })
  },
}

requireTools(
  'crypt4gh',
  'samtools',
  'bcftools',
)('uploads that are encrypted for the vault', () => {
  const uploads = Object.entries(tools).flatMap(([tool, encrypt], i) =>
    ['child.bam', 'child.cram', 'trio.vcf.gz', 'trio.bcf'].map(name => [tool, name, encrypt, i] as const),
  )
  test.each(uploads)('by %s: %s', async (_, name, encrypt, i) => {
    const upload = join(folder, `${name}.c4gh`)
    const file = await encrypt(readFileSync(demo(name)))
    writeFileSync(upload, file)
    await vault.upload(`study/${i}/${name}.c4gh`, upload)

    // The object is a Crypt4GH file for the lab, with the body that was uploaded, which the reference reads.
    const object = readFileSync(join(vault.data, 'vault', 'study', String(i), `${name}.c4gh`))
    expect(object.subarray(-10_000).equals(file.subarray(-10_000))).toBe(true)
    const args = ['decrypt', '--sk', keyFiles.lab]
    const decrypted = await output('crypt4gh', args, { input: object, env: { C4GH_SECRET_KEY: undefined } })
    expect(decrypted.equals(readFileSync(demo(name)))).toBe(true)

    const isOfReads = /am$/.test(name)
    const id = name.replace(/\..*/, '')
    const format = name.endsWith('vcf.gz') ? 'VCF' : name.slice(-4).replace('.', '').toUpperCase()
    const [tool, ...view] = isOfReads
      ? ['samtools', 'view', '--no-PG']
      : ['bcftools', 'view', '-H', '--no-version']
    const url = `${vault.url}/${isOfReads ? 'reads' : 'variants'}/study/${i}/${id}?format=${format}`
    const served = await output(tool, [...view, url])
    expect(served.equals(await output(tool, [...view, demo(name)]))).toBe(true)
    const region = await output(tool, [...view, `${url}&referenceName=chr1&start=10000&end=20000`])
    expect(region.length).toBeGreaterThan(0)
    expect(region.length).toBeLessThan(served.length)
  })
})
