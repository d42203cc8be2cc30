import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { folderStore } from '#shared/local/folderStore.ts'
import { startServer } from '#shared/local/httpServer.ts'
import type { LocalServer } from '#shared/local/httpServer.ts'
import { parseUploadKey } from '#shared/vault/names.ts'
import { output, requireTools, run, temporaryFolder } from '#test/support/interop.ts'

const dir = temporaryFolder()

requireTools('curl')('curl -T into the inbox', () => {
  const store = folderStore(join(dir, 'inbox'))
  let server: LocalServer
  let aborts = 0
  let aborted: () => void = () => undefined
  const counting = {
    ...store,
    async create(key: string) {
      const upload = await store.create(key)
      const abort = async () => {
        await upload.abort()
        aborts += 1
        aborted()
      }
      return { ...upload, abort }
    },
  }
  beforeAll(async () => {
    server = await startServer({ port: 0, routes: [], inbox: { store: counting, readName: parseUploadKey } })
  })
  afterAll(() => server.close(0))

  test.each([0, 5, 5_000_000])('a file of %d bytes', async size => {
    const file = join(dir, `file-${size}.bam`)
    const bytes = Buffer.alloc(size, 'htsvault')
    writeFileSync(file, bytes)
    // A slash at the end: curl adds the file's name.
    const reply = await output('curl', [
      '-sS',
      '--fail-with-body',
      '-T',
      file,
      `${server.url}/inbox/demo/run/`,
    ])
    expect(JSON.parse(reply.toString())).toEqual({
      dataset: 'demo',
      name: `run/file-${size}.bam`,
      bytes: size,
      status: `${server.url}/status`,
    })
    expect(bytes.equals((await store.get(`demo/run/file-${size}.bam`, size))!.bytes)).toBe(true)
  })

  test('a stream of unknown length', async () => {
    const reply = await run('curl', ['-sS', '-T', '-', `${server.url}/inbox/demo/piped.vcf.gz`], {
      input: 'bytes',
    })
    expect(JSON.parse(reply.stdout.toString())).toMatchObject({ name: 'piped.vcf.gz', bytes: 5 })
  })

  test('a bad name is refused before the file is sent', async () => {
    const file = join(dir, 'file-5000000.bam')
    const reply = await run('curl', [
      '-sS',
      '--fail-with-body',
      '-w',
      '\n%{http_code} %{size_upload}',
      '-T',
      file,
      `${server.url}/inbox/x.bam`,
    ])
    expect(reply.code).toBe(22)
    const [json, numbers] = reply.stdout.toString().split('\n\n')
    expect(JSON.parse(json!)).toMatchObject({ code: 'NO_DATASET' })
    expect(numbers).toBe('400 0')
  })

  test('one that is killed leaves nothing', async () => {
    const before = aborts
    const gone = new Promise<void>(resolve => (aborted = resolve))
    const file = join(dir, 'file-5000000.bam')
    const args = ['-sS', '--limit-rate', '200k', '-T', file, `${server.url}/inbox/demo/cut.bam`]
    const curl = spawn('curl', args, { stdio: 'ignore' })
    const areas = join(dir, 'inbox', '.tmp')
    const unfinished = () =>
      readdirSync(areas, { recursive: true }).filter(name => String(name).includes('/'))
    while (unfinished().length === 0) await new Promise(resolve => setTimeout(resolve, 10))
    curl.kill('SIGKILL')
    await once(curl, 'exit')
    await gone
    expect(aborts).toBe(before + 1)
    expect(unfinished()).toEqual([])
    expect(await store.head('demo/cut.bam')).toBeUndefined()
  })
})
