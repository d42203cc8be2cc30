import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { VaultProcess } from '#test/support/VaultProcess.ts'

jest.setTimeout(60_000)
const root = join(import.meta.dirname, '..', '..')
const demo = (name: string) => join(root, 'demo', name)
const demoFiles = ['demo/child.bam', 'demo/child.cram', 'demo/trio.bcf', 'demo/trio.vcf.gz']

let vault: VaultProcess
beforeEach(() => {
  vault = new VaultProcess()
})
afterEach(() => vault.remove())

/** Every file of a vault with its size, but for what is random in it: nothing but names is compared. */
const filesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(
      path => statSync(join(folder, path)).isFile() && !path.split('/').some(part => part.startsWith('.')),
    )
    .sort()

const cli = (...args: string[]) =>
  spawnSync(process.execPath, ['cli/htsvault.js', ...args], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '' },
  })

describe('htsvault serve', () => {
  test('begins with a file of each format, says what to do, ends cleanly, and finds everything again', async () => {
    await vault.start()
    const served = await vault.settled(...demoFiles)
    expect(served.map(file => file.state)).toEqual(['served', 'served', 'served', 'served'])
    expect(vault.output).toContain(`samtools view '${vault.url}/reads/demo/child?`)
    expect(vault.output).toContain(`bcftools view -H '${vault.url}/variants/demo/trio?`)
    expect(vault.output).toContain(`curl -T sample.bam ${vault.url}/inbox/study/sample.bam`)
    expect(statSync(join(vault.data, 'keys', 'vault.sec')).mode & 0o777).toBe(0o600)
    const before = [filesOf(vault.data), await vault.status()]
    // As under npm, where one Ctrl-C comes twice.
    expect(await vault.stop('SIGINT', 2)).toBe(0)
    expect(vault.output).toMatch(/\nended\n$/)

    await vault.start('--origin', 'https://igv.org')
    expect([filesOf(vault.data), await vault.status()]).toEqual(before)
    const asked = async (headers: Record<string, string>) =>
      (await fetch(`${vault.url}/reads/demo/child?referenceName=chr2`, { headers })).status
    expect(await asked({})).toBe(200)
    // Of web pages, those of this machine and of where it was told.
    expect(await asked({ Origin: 'http://localhost:3000' })).toBe(200)
    expect(await asked({ Origin: 'https://igv.org' })).toBe(200)
    expect(await asked({ Origin: 'https://example.org' })).toBe(403)
  })

  test('takes what is copied into the inbox, once it has stopped growing', async () => {
    await vault.start('--no-demo')
    expect(await vault.status()).toEqual([])
    const bytes = await readFile(demo('child.bam'))
    const inbox = join(vault.data, 'inbox', 'study', 'run 1')
    await mkdir(inbox, { recursive: true })
    const path = join(inbox, 'a.b.bam')
    for (const end of [50_000, 90_000, bytes.length]) {
      await writeFile(path, bytes.subarray(0, end))
      await setTimeout(300)
    }
    const [file] = await vault.settled('study/run 1/a.b.bam')
    expect(file).toMatchObject({ state: 'served', id: 'study/run 1/a.b', bytes: bytes.length })
    expect(existsSync(path)).toBe(false)
    const whole = cli('get', '--data', vault.data, 'study/run 1/a.b.bam')
    expect(whole.stderr.toString()).toBe('')
    expect(Buffer.compare(whole.stdout, bytes)).toBe(0)
    const copy = join(vault.data, 'copy.bam')
    expect(cli('get', '--data', vault.data, 'study/run 1/a.b.bam', '-o', copy).status).toBe(0)
    expect(Buffer.compare(await readFile(copy), bytes)).toBe(0)
    expect(
      cli('get', '--data', vault.data, '--part', 'index', 'study/run 1/a.b.bam')
        .stdout.subarray(0, 4)
        .toString('latin1'),
    ).toBe('BAI\u0001')
    expect((await fetch(`${vault.url}/reads/study/run%201/a.b`)).status).toBe(200)
  })

  test('says why a file is refused, and takes the mended one', async () => {
    await vault.start('--no-demo')
    const cut = join(vault.data, 'cut.bam')
    await writeFile(cut, (await readFile(demo('child.bam'))).subarray(0, 90_000))
    expect(await vault.upload('study/x.bam', cut)).toMatchObject({ state: 'refused', code: 'BGZF_TRUNCATED' })
    expect(existsSync(join(vault.data, 'inbox', 'study', 'x.bam.refused.json'))).toBe(true)
    expect((await fetch(`${vault.url}/reads/study/x`)).status).toBe(404)

    await vault.stop()
    await vault.start('--no-demo')
    expect(await vault.status()).toMatchObject([{ name: 'x.bam', state: 'refused', code: 'BGZF_TRUNCATED' }])
    await vault.upload('study/x.bam', demo('child.bam'))
    await setTimeout(100)
    const [file] = await vault.settled('study/x.bam')
    expect(file).toMatchObject({ state: 'served' })
    expect(filesOf(join(vault.data, 'inbox'))).toEqual([])
  })

  test('one manifest or report that cannot be read keeps nobody else from being served', async () => {
    await vault.start('--no-demo')
    await vault.upload('study/x.bam', demo('child.bam'))
    await vault.upload('study/y.vcf.gz', demo('trio.vcf.gz'))
    await vault.stop()
    await writeFile(join(vault.data, 'vault', 'study', 'x.bam.manifest.json'), '{"version":')
    await writeFile(join(vault.data, 'inbox', 'study', 'z.bam'), 'no genomic file')
    await writeFile(join(vault.data, 'inbox', 'study', 'z.bam.refused.json'), 'cut o')

    await vault.start('--no-demo')
    const [x, y, z] = await vault.settled('study/x.bam', 'study/y.vcf.gz', 'study/z.bam')
    expect(x).toMatchObject({ state: 'refused', code: 'MANIFEST_CORRUPT' })
    expect(y).toMatchObject({ state: 'served' })
    expect(z).toMatchObject({ state: 'refused', code: 'UNKNOWN_FORMAT' })
    await vault.upload('study/x.bam', demo('child.bam'))
    expect((await vault.settled('study/x.bam'))[0]).toMatchObject({ state: 'served' })
  })

  test('killed while it takes files in, it ends where an undisturbed run ends', async () => {
    let interrupted = 0
    for (const wait of [0, 30, 60, 90, 120, 180, 250]) {
      const folder = join(vault.data, 'inbox', 'study')
      await rm(join(vault.data, 'vault'), { recursive: true, force: true })
      await mkdir(folder, { recursive: true })
      for (const name of ['child.bam', 'child.cram', 'trio.vcf.gz'])
        await copyFile(demo(name), join(folder, name))
      await vault.start('--no-demo')
      while ((await vault.status()).every(file => file.state === 'received')) await setTimeout(5)
      await setTimeout(wait)
      await vault.stop('SIGKILL')
      if (filesOf(folder).length > 0) interrupted++

      await vault.start('--no-demo')
      const files = await vault.settled('study/child.bam', 'study/child.cram', 'study/trio.vcf.gz')
      expect(files.every(file => file.state === 'served')).toBe(true)
      // What was served before the kill is looked at again, and then deleted from the inbox.
      while (filesOf(join(vault.data, 'inbox')).length > 0) await setTimeout(20)
      expect(filesOf(join(vault.data, 'vault'))).toHaveLength(12)
      const got = cli('get', '--data', vault.data, 'study/child.cram')
      expect(Buffer.compare(got.stdout, await readFile(demo('child.cram')))).toBe(0)
      await vault.stop()
    }
    expect(interrupted).toBeGreaterThan(0)
  })

  test('a port that is taken, and a key that others can read, are said so', async () => {
    await vault.start('--no-demo')
    const port = new URL(vault.url).port
    const second = cli('serve', '--port', port, '--data', join(vault.data, 'other'))
    expect(second.status).toBe(1)
    expect(second.stderr.toString()).toMatch(/PORT_TAKEN[^]*--port/)
    await vault.stop()
    spawnSync('chmod', ['644', join(vault.data, 'keys', 'vault.sec')])
    const open = cli('serve', '--port', '0', '--data', vault.data)
    expect(open.status).toBe(1)
    expect(open.stderr.toString()).toMatch(/KEY_FILE_OPEN[^]*chmod 600/)
  })
})

describe('the command line', () => {
  test('helps, and says what was wrong', () => {
    expect(cli('--help').stdout.toString()).toContain('Examples:')
    expect(cli('--help').status).toBe(0)
    for (const args of [['serve', '--port', 'x'], ['nonsense'], ['serve', '--nonsense'], ['get']])
      expect(cli(...args).status).toBe(2)
    const missing = cli('get', '--data', join(vault.data, 'nowhere'), 'a/b')
    expect(missing.status).toBe(1)
    expect(missing.stderr.toString()).toContain('NO_VAULT')
  })
})
