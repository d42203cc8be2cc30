import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { FaultServer } from '#test/client/FaultServer.ts'
import { dataUrl, writtenTicket } from '#test/client/support.ts'
import { makeFile, newKeys } from '#test/crypt4gh/support.ts'
import { fixtures } from '#test/fixtures/index.ts'
import { output, requireTools, run, temporaryFolder } from '#test/support/interop.ts'
import { VaultProcess } from '#test/support/VaultProcess.ts'

jest.setTimeout(120_000)

const root = join(import.meta.dirname, '..', '..')
const demo = (name: string) => join(root, 'demo', name)
const folder = temporaryFolder()
const vault = new VaultProcess()
const stranger = new FaultServer()

const command = ['--no-warnings', join(root, 'cli', 'htsvault.js'), 'stream']
const stream = (args: readonly string[], env: Record<string, string> = {}) =>
  run(process.execPath, [...command, ...args], {
    env: { NODE_OPTIONS: '', HTSVAULT_SERVER: vault.url, HTSVAULT_TOKEN: undefined, ...env },
  })

/** What the command writes. @throws Error with its message where it fails */
async function streamed(...args: string[]): Promise<Buffer> {
  const { stdout, stderr, code } = await stream(args)
  if (code !== 0) throw new Error(`stream ${args.join(' ')} ended with ${code}: ${stderr}`)
  expect(stderr).toBe('')
  return stdout
}

const colons = fixtures.find(({ name }) => name === 'bam/many-references.bam')!

/** The file with its index beside it, for the tools. */
async function indexed(path: string, name: string): Promise<string> {
  const copy = join(folder, name)
  writeFileSync(copy, readFileSync(path))
  await output(/\.(bam|cram)$/.test(name) ? 'samtools' : 'bcftools', ['index', copy])
  return copy
}

requireTools('samtools', 'bcftools')('htsvault stream', () => {
  beforeAll(async () => {
    await vault.start()
    await vault.settled('demo/child.bam', 'demo/child.cram', 'demo/trio.vcf.gz', 'demo/trio.bcf')
    expect(await vault.upload('study/colons.bam', colons.path)).toMatchObject({ state: 'served' })
    await stranger.start()
  }, 120_000)
  afterAll(async () => {
    await vault.remove()
    await stranger.stop()
  })

  test.each([
    ['chr1', []],
    ['chr1:100,000-200,000', []],
    ['chr2:-50k', []],
    ['chr1:990000', ['chr3:1-1000', 'chrM']],
    ['chr2:1-300,000', ['chr2:200,000-400,000', 'chr1:5-5']],
    ['*', []],
    ['.', []],
  ])('gives the reads of %s and %j that samtools finds in the original', async (first, more) => {
    const regions = [first, ...more]
    const options = regions.flatMap(region => ['--region', region])
    for (const format of ['bam', 'cram']) {
      const original = await indexed(demo(`child.${format}`), `child.${format}`)
      const bytes = await streamed('demo/child', '--format', format.toUpperCase(), ...options)
      const part = join(folder, `part.${format}`)
      writeFileSync(part, bytes)
      await output('samtools', ['quickcheck', part])
      await output('samtools', ['index', part])
      // With -M each record comes once; its regions have no thousands separators.
      const args = more.length > 0 ? ['view', '--no-PG', '-M'] : ['view', '--no-PG']
      const told = more.length > 0 ? regions.map(region => region.replaceAll(',', '')) : regions
      const [found, wanted] = await Promise.all(
        [part, original].map(path => output('samtools', [...args, path, ...told])),
      )
      // Not by toBe: the difference of two files is longer than anybody reads.
      expect([format, found!.equals(wanted!)]).toEqual([format, true])
      expect(wanted!.length).toBeGreaterThan(0)
    }
  })

  test.each([
    ['trio.vcf.gz', 'VCF'],
    ['trio.bcf', 'BCF'],
  ])('gives the variants of %s that bcftools finds', async (name, format) => {
    const original = await indexed(demo(name), name)
    for (const regions of [['chr1:100,000-200,000'], ['chr1:5000-90000', 'chr2', 'chr3:1-7,000']]) {
      const options = regions.flatMap(region => ['-r', region])
      const bytes = await streamed('demo/trio', '--format', format, ...options)
      const view = (input: string, regionOption: string[], stdin?: Buffer) =>
        output('bcftools', ['view', '-H', ...regionOption, input], stdin ? { input: stdin } : {})
      // bcftools reads no thousands separators in a list.
      const list = regions.map(region => region.replaceAll(',', '')).join(',')
      const found = await view('-', ['-t', list, '--targets-overlap', '1'], bytes)
      const wanted = await view(original, ['-r', list])
      expect(found.toString()).toBe(wanted.toString())
      expect(wanted.length).toBeGreaterThan(0)
    }
  })

  test('gives whole files, byte for byte, and headers', async () => {
    expect(Buffer.compare(await streamed('demo/child'), readFileSync(demo('child.bam')))).toBe(0)
    const url = `${vault.url}/reads/demo/child?format=CRAM`
    expect(Buffer.compare(await streamed(url), readFileSync(demo('child.cram')))).toBe(0)
    expect(
      Buffer.compare(await streamed('demo/trio', '--parallel', '1'), readFileSync(demo('trio.vcf.gz'))),
    ).toBe(0)
    const header = await streamed('demo/child', '--header-only')
    expect((await output('samtools', ['view', '--no-PG', '-H', '-'], { input: header })).toString()).toBe(
      (await output('samtools', ['view', '--no-PG', '-H', demo('child.bam')])).toString(),
    )
  })

  test('reads names with colons by the header, as samtools does', async () => {
    const original = await indexed(colons.path, 'colons.bam')
    const used = (await output('samtools', ['view', original])).toString().split('\n')
    const names = [...new Set(used.map(line => line.split('\t')[2]))].filter(
      name => name?.includes(':') === true,
    )
    // Others are ambiguous: what is before their last colon is a reference too.
    const clear = names.filter(name => !name!.startsWith('chr1:'))
    expect(clear.length).toBeGreaterThan(0)
    const unclear = await stream(['study/colons', '--region', 'chr1:100-200'])
    expect([unclear.code, unclear.stderr]).toEqual([1, expect.stringContaining("'{chr1}:100-200'")])
    for (const name of [...clear.slice(0, 2), '{chr1:100-200}'])
      for (const region of [
        name!,
        `${name!}:1-500`,
        ...(name!.startsWith('{') ? [] : [`{${name!}}:1-500`]),
      ]) {
        const part = join(folder, 'colon-part.bam')
        writeFileSync(part, await streamed('study/colons', '--region', region))
        await output('samtools', ['index', part])
        const [found, wanted] = await Promise.all(
          [part, original].map(path => output('samtools', ['view', '-c', path, region])),
        )
        expect([region, String(found)]).toEqual([region, String(wanted)])
      }
  })

  test('reads what a stranger serves: headers, ranges, one object', async () => {
    const file = readFileSync(demo('child.bam'))
    const object = stranger.serve('/object', file, [
      { kind: 'break', after: 3000 },
      { kind: 'whole' },
      { kind: 'status', status: 503 },
    ])
    const cuts = [0, 40_000, 40_001, 90_000, file.length]
    const blocks = cuts.slice(1).map((end, i) => ({
      url: object,
      headers: { Range: `bytes=${cuts[i]!}-${end - 1}`, Authorization: 'Bearer data' },
    }))
    const ticket = writtenTicket([{ url: dataUrl(new Uint8Array(0)) }, ...blocks])
    const url = stranger.serve('/reads/x', Buffer.from(ticket))
    expect(Buffer.compare(await streamed(url), file)).toBe(0)
    const cut = join(folder, 'stranger.bam')
    await streamed(url, '-o', cut)
    expect(Buffer.compare(readFileSync(cut), file)).toBe(0)
    const again = await stream([url, '-o', cut])
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('OUTPUT_EXISTS')])
  })

  test('decrypts with a key, and keeps tokens to itself', async () => {
    const plain = readFileSync(demo('child.bam'))
    const sec = join(folder, 'me.sec')
    const keygen = [
      join(root, 'cli', 'htsvault.js'),
      'c4gh',
      'keygen',
      '--nocrypt',
      '--sk',
      sec,
      '--pk',
      join(folder, 'me.pub'),
    ]
    expect(spawnSync(process.execPath, keygen, { env: { ...process.env, NODE_OPTIONS: '' } }).status).toBe(0)
    for (const format of ['BAM', 'CRAM']) {
      const whole = await streamed('demo/child', '--format', format, '--key', sec)
      expect(Buffer.compare(whole, readFileSync(demo(`child.${format.toLowerCase()}`)))).toBe(0)
      const region = ['demo/child', '--format', format, '-r', 'chr1:100,000-200,000', '-r', 'chr2:5000-90000']
      const count = async (bytes: Buffer) =>
        String(
          await output(
            'samtools',
            ['view', '-c', '-e', 'rname=="chr1" && pos<=200000 && endpos>=100000', '-'],
            { input: bytes },
          ),
        )
      expect(await count(await streamed(...region, '--key', sec))).toBe(
        await count(await streamed(...region)),
      )
    }
    // Somebody else's file.
    const { file } = makeFile(plain, newKeys())
    const url = stranger.serve('/reads/sealed', Buffer.from(writtenTicket([{ url: dataUrl(file) }])))
    const secret = 'T0KEN-secret'
    const refused = await stream([url, '--key', sec], { HTSVAULT_TOKEN: secret })
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('CRYPT4GH_WRONG_KEY')])
    expect(stranger.seen.at(-1)!.headers.authorization).toBe(`Bearer ${secret}`)
    const tokenFile = join(folder, 'token')
    writeFileSync(tokenFile, `${secret}\n`)
    const insecure = await stream(['http://example.org/reads/x', '--token-file', tokenFile])
    expect([insecure.code, insecure.stderr]).toEqual([1, expect.stringContaining('TOKEN_UNSAFE')])
    const malformed = await stream([url], { HTSVAULT_TOKEN: `"${secret}"` })
    expect([malformed.code, malformed.stderr]).toEqual([1, expect.stringContaining('TOKEN_MALFORMED')])
    for (const { stderr, stdout } of [refused, insecure, malformed])
      expect(stderr + stdout.toString('latin1')).not.toContain(secret)
  })

  test('tells what is wrong, with its exit code', async () => {
    for (const [args, code, message] of [
      [['demo/nothing'], 1, 'NOT_FOUND'],
      [['demo/child', '-r', 'nowhere:1-2'], 1, 'NOT_FOUND'],
      [['demo/child', '-r', 'chr1:2-1'], 1, 'REGION_INVALID'],
      [['demo/child', '--format', 'SAM'], 2, 'Allowed choices'],
      [['demo/child', '--parallel', '0'], 2, 'whole number'],
      [['demo/child', '--header-only', '-r', 'chr1'], 2, 'does not go with'],
      [['demo/child', '-o', join(folder, 'no', 'where')], 1, 'FILE_NOT_FOUND'],
      [[], 2, 'missing required argument'],
    ] as const) {
      const { stderr, code: found, stdout } = await stream(args)
      expect([args, found, stderr, stdout.length]).toEqual([args, code, expect.stringContaining(message), 0])
    }
  })

  test('ends without a word when its reader leaves', async () => {
    const endless = stranger.serve('/large', new Uint8Array(64 << 20))
    const url = stranger.serve('/reads/large', Buffer.from(writtenTicket([{ url: endless }])))
    const child = spawn(process.execPath, [...command, url], {
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    child.stdout.once('data', () => child.stdout.destroy())
    const code = await new Promise(resolve => child.once('close', resolve))
    expect([code, said]).toEqual([141, ''])
  })

  test("the documentation's example runs as it stands there, but for the port", async () => {
    const [, code] = /```ts\n([^]*?)```/.exec(readFileSync(join(root, 'docs', 'stream.md'), 'utf8'))!
    const example = code!
      .replace('http://127.0.0.1:8080', vault.url)
      .replaceAll('#shared/', `${root}/shared/`)
    const path = join(folder, 'example.mts')
    writeFileSync(path, `${example}\nconsole.log(bytes > 0, reads)`)
    const wanted = await output('samtools', [
      'view',
      '-c',
      await indexed(demo('child.bam'), 'child.bam'),
      'chr1:10,000-20,000',
    ])
    const { stdout, stderr } = await run(process.execPath, ['--no-warnings', path], {
      env: { NODE_OPTIONS: '' },
    })
    expect([stderr, stdout.toString().trim()]).toEqual(['', `true ${wanted.toString().trim()}`])
  })
})
