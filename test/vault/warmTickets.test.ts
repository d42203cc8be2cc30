import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import type { HtsgetQuery } from '#shared/htsget/HtsgetQuery.ts'
import { answerData } from '#shared/vault/answerData.ts'
import { answerTicket } from '#shared/vault/answerTicket.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import { recentSeconds } from '#shared/vault/recentManifests.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { recordedPorts, type Use } from '#test/support/recordedPorts.ts'
import { folderVault } from '#test/support/folderVault.ts'

const demo = (name: string) => readFile(join(import.meta.dirname, '..', '..', 'demo', name))
const scratch = mkdtempSync(join(tmpdir(), 'htsvault-warm-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
const pair = generateKeyPair(nodeBackend)
let round = 0

/** The vault as the process sees it that ingests; the counted one is another process's, with caches of its own. */
let ingesting: VaultPorts
let asking: VaultPorts
let uses: Use[]
beforeEach(async () => {
  // The clock stands still but for `later`: a slow machine must not let what is recent grow old.
  later(0)
  const folder = join(scratch, String(++round))
  ingesting = folderVault(folder, pair)
  ;({ ports: asking, uses } = recordedPorts(ingesting))
  await upload('child.bam')
})
afterEach(() => {
  jest.restoreAllMocks()
})

async function upload(name: string) {
  await ingesting.inbox.put('d/x.bam', await demo(name))
  expect(await ingestUpload(ingesting, 'd/x.bam')).toMatchObject({ state: 'served' })
}

/** A file of the same name and other bytes. */
async function replace(): Promise<void> {
  const path = join(import.meta.dirname, '..', 'fixtures', 'bam', 'pairs.bam')
  await ingesting.inbox.put('d/x.bam', await readFile(path))
  expect(await ingestUpload(ingesting, 'd/x.bam')).toMatchObject({ state: 'served' })
}

const dataUrl = 'https://x/data/'
const ask = async (ports: VaultPorts, query: Partial<HtsgetQuery> = {}, id = 'd/x'): Promise<string[]> => {
  const ticket = await answerTicket(
    ports,
    id,
    { datatype: 'reads', headerOnly: false, ...query },
    { dataUrl },
  )
  const { htsget } = JSON.parse(ticket) as { htsget: { urls: { url: string }[] } }
  return htsget.urls.map(({ url }) => url)
}
const region = (referenceName: string): Partial<HtsgetQuery> => ({
  regions: [referenceName === '*' ? { referenceName } : { referenceName, start: 10_000, end: 20_000 }],
})
const tokenOf = (urls: string[]) => urls.find(url => url.startsWith(dataUrl))!.slice(dataUrl.length)
const later = (seconds: number) => {
  const then = performance.now() + seconds * 1000
  jest.spyOn(performance, 'now').mockReturnValue(then)
}

describe('reads of storage', () => {
  const keys = () => uses.map(({ key }) => key)

  test('are two for a cold ticket, and none for a warm one, wherever it asks', async () => {
    await ask(asking, region('chr1'))
    expect(keys()).toEqual(['d/x.bam.manifest.json', 'd/x.bam.blockmap.c4gh'])
    uses.length = 0
    for (const name of ['chr1', 'chr2', 'chrM', '*']) await ask(asking, region(name))
    await ask(asking, { headerOnly: true })
    await ask(asking)
    expect(keys()).toEqual([])
  })

  test('of a CRAM that is asked for without its name are none either, once it was found', async () => {
    await ingesting.inbox.put('d/y.cram', await demo('child.cram'))
    await ingestUpload(ingesting, 'd/y.cram')
    await ask(asking, region('chr1'), 'd/y')
    expect(keys()).toEqual(['d/y.bam.manifest.json', 'd/y.cram.manifest.json', 'd/y.cram.blockmap.c4gh'])
    uses.length = 0
    await ask(asking, region('chr2'), 'd/y')
    expect(keys()).toEqual([])
  })

  test('happen again once what was read is old', async () => {
    await ask(asking)
    uses.length = 0
    later(recentSeconds + 1)
    await ask(asking)
    expect(keys()).toEqual(['d/x.bam.manifest.json'])
  })
})

describe('a file', () => {
  const replaced = { code: 'FILE_REPLACED' }

  test('is there as soon as it was taken in: that there was none is not kept', async () => {
    const variants = { datatype: 'variants', headerOnly: true } as const
    await expect(ask(asking, variants, 'd/t')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await ingesting.inbox.put('d/t.vcf.gz', await demo('trio.vcf.gz'))
    await ingestUpload(ingesting, 'd/t.vcf.gz')
    expect(await ask(asking, variants, 'd/t')).toHaveLength(2)
  })

  test('that was replaced is never served in part: its tickets are of the one or the other', async () => {
    const before = await ask(asking)
    expect((await answerData(asking, tokenOf(before))).statusCode).toBe(200)
    await ask(ingesting)
    await replace()
    await expect(answerData(asking, tokenOf(before))).rejects.toMatchObject(replaced)
    // The process that took it in knows at once.
    const after = await ask(ingesting)
    expect((await answerData(asking, tokenOf(after))).statusCode).toBe(200)
    // Another one may not, for some seconds; what it hands out says so.
    await expect(answerData(asking, tokenOf(await ask(asking)))).rejects.toMatchObject(replaced)
    later(recentSeconds + 1)
    expect((await answerData(asking, tokenOf(await ask(asking)))).statusCode).toBe(200)
  })

  test('that is replaced while a ticket is made gets the ticket of the new one', async () => {
    let first = true
    const racing: VaultPorts = {
      ...asking,
      vault: {
        ...asking.vault,
        async read(...args) {
          if (first) {
            first = false
            await replace()
          }
          return asking.vault.read(...args)
        },
      },
    }
    expect((await answerData(asking, tokenOf(await ask(racing)))).statusCode).toBe(200)
    expect(first).toBe(false)
  })

  test('that was deleted has no data any more, and after some seconds no tickets', async () => {
    const urls = await ask(asking)
    for await (const { key } of ingesting.vault.list('d/')) await ingesting.vault.delete(key)
    await expect(answerData(asking, tokenOf(urls))).rejects.toMatchObject(replaced)
    later(recentSeconds + 1)
    await expect(ask(asking)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

test('a ticket of many URLs asks for the private key once, and each ticket anew', async () => {
  let asked = 0
  const keyPair = async () => {
    asked++
    return { ...pair, secretKey: pair.secretKey.slice() }
  }
  const ports: VaultPorts = { ...asking, keys: { keyPair } }
  const query: HtsgetQuery = { datatype: 'reads', headerOnly: false }
  for (const more of [{}, { fields: ['POS'] }]) {
    asked = 0
    const options = { dataUrl, limits: { pieceBytes: 4096 } }
    const ticket = await answerTicket(ports, 'd/x', { ...query, ...more }, options)
    expect(ticket.split(dataUrl).length).toBeGreaterThan(5)
    expect(asked).toBe(1)
    await answerTicket(ports, 'd/x', { ...query, ...more }, options)
    expect(asked).toBe(2)
  }
})
