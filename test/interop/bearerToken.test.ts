import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { output, requireTools, run, temporaryFolder } from '../support/interop.ts'
import { OidcIssuer } from '../support/OidcIssuer.ts'
import { VaultProcess } from '../support/VaultProcess.ts'

jest.setTimeout(60_000)
const demo = join(import.meta.dirname, '..', '..', 'demo', 'child.bam')

requireTools('samtools')('samtools with a token, at a vault that asks who comes', () => {
  const folder = temporaryFolder()
  const vault = new VaultProcess(join(folder, 'data'))
  const issuer = new OidcIssuer()
  const query = () => ['view', `${vault.url}/reads/study/x?referenceName=chr1&start=10000&end=20000`]
  const withToken = async (text: string) => {
    const file = join(folder, 'token')
    await writeFile(file, text)
    return {
      HTS_AUTH_LOCATION: file,
      HTS_ALLOW_UNENCRYPTED_AUTHORIZATION_HEADER: 'I understand the risks',
    }
  }

  beforeAll(async () => {
    await issuer.start()
    await mkdir(vault.data)
    await vault.start('--no-demo')
    await vault.upload('study/x.bam', demo)
    await vault.stop()
    await writeFile(
      join(vault.data, 'vault', 'study', 'dataset.json'),
      JSON.stringify({ access: [{ issuer: issuer.url, group: 'readers' }] }),
    )
    await vault.start('--no-demo', '--oidc-issuer', issuer.url, '--oidc-audience', issuer.audience)
  })
  afterAll(async () => {
    await vault.remove()
    await issuer.stop()
  })

  test('reads what it reads from the file, by a plain token and by the reply of the token endpoint', async () => {
    const expected = await output('samtools', ['view', demo])
    const inRegion = expected
      .toString()
      .split('\n')
      .filter(line => line.includes('\tchr1\t'))
    const token = await issuer.token()
    const reply = JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: 600 })
    for (const text of [token, reply]) {
      const got = (await output('samtools', query(), { env: await withToken(text) }))
        .toString()
        .trim()
        .split('\n')
      expect(got.length).toBeGreaterThan(10)
      for (const line of got) expect(inRegion).toContain(line)
    }
  })

  test('without one, with one of somebody else, with a broken one: nothing', async () => {
    expect((await run('samtools', query())).code).not.toBe(0)
    for (const text of [await issuer.token('bob'), `${await issuer.token()}x`]) {
      const { code, stdout } = await run('samtools', query(), { env: await withToken(text) })
      expect([code === 0, stdout.length]).toEqual([false, 0])
    }
  })

  test('a page from anywhere may ask, with a token', async () => {
    const asked = (headers: Record<string, string>) =>
      fetch(`${vault.url}/reads/study/x`, { headers: { Origin: 'https://example.org', ...headers } })
    expect((await asked({})).status).toBe(401)
    const reply = await asked({ Authorization: `Bearer ${await issuer.token()}` })
    expect([reply.status, reply.headers.get('access-control-allow-origin')]).toEqual([
      200,
      'https://example.org',
    ])
  })

  test('the status and the inbox know nobody, and are closed', async () => {
    expect((await fetch(`${vault.url}/status`)).status).toBe(404)
    const put = await fetch(`${vault.url}/inbox/study/y.bam`, { method: 'PUT', body: await readFile(demo) })
    expect(put.status).toBe(404)
    expect((await fetch(`${vault.url}/reads/study/x`)).status).toBe(401)
    expect((await fetch(`${vault.url}/reads/service-info`)).status).toBe(200)
  })
})
