import { existsSync, readdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { openLocalVault } from '#cli/openLocalVault.ts'
import { findManifest } from '#shared/vault/findManifest.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import { bamHeader, bamRecord } from '#test/support/bamBuilder.ts'
import { concatBytes } from '#test/support/concatBytes.ts'
import { keysOf } from '#test/support/folderVault.ts'
import type { TicketJson } from '#test/support/joinTicket.ts'
import { reblock } from '#test/support/reblock.ts'
import { seenFile } from '#test/support/seenFile.ts'
import { VaultProcess } from '#test/support/VaultProcess.ts'

jest.setTimeout(60_000)
const demo = join(import.meta.dirname, '..', '..', 'demo', 'child.bam')
const faults = pathToFileURL(join(import.meta.dirname, '..', 'support', 'faultyWorkers.ts')).href

/** Three shards of 16 MiB. */
let file: Buffer
beforeAll(() => {
  const references = [['chr1', 100_000_000]] as const
  const records = Array.from({ length: 5000 }, (_, i) =>
    bamRecord({ refId: 0, pos: 1000 * i, bases: 6000, cigar: [6000 << 4], name: `r${i}` }),
  )
  file = reblock(concatBytes(bamHeader(references), ...records), { sizeOf: () => 61_000, level: 0 })
  expect(Math.ceil(file.length / (16 << 20))).toBe(3)
})

let vault: VaultProcess
beforeEach(() => {
  vault = new VaultProcess()
})
afterEach(() => vault.remove())

const start = (...args: string[]) => vault.start('--no-demo', '--workers', '2', '--large-from', '20', ...args)

function faulty(what: string): void {
  vault.env = { NODE_OPTIONS: `--import ${faults}`, HTSVAULT_TEST_WORKERS: what }
}

/** Puts the file into the inbox as a copy does. */
async function copyIn(name = 'x.bam'): Promise<void> {
  const folder = join(vault.data, 'inbox', 'study')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, name), file)
}

/** Waits until so many shards are done. */
async function untilDone(shards: number): Promise<void> {
  for (let i = 0; ; i++) {
    const [status] = await vault.status()
    if (status?.shards?.done === shards) return
    if (i > 500) throw new Error(`${JSON.stringify(status)}\n${vault.output}`)
    await setTimeout(50)
  }
}

/** The bytes of a ticket, as a client fetches them. */
async function fetchTicket(path: string): Promise<Buffer> {
  const { htsget } = (await (await fetch(`${vault.url}${path}`)).json()) as TicketJson
  const parts = htsget.urls.map(async ({ url, headers }) =>
    Buffer.from(await (await fetch(url, headers && { headers })).arrayBuffer()),
  )
  return Buffer.concat(await Promise.all(parts))
}

async function expectServed(): Promise<void> {
  const ports = openLocalVault(vault.data)
  expect(await vault.settled('study/x.bam')).toMatchObject([{ state: 'served', bytes: file.length }])
  expect(Buffer.compare(await fetchTicket('/reads/study/x'), file)).toBe(0)
  expect(await keysOf(ports.inbox)).toEqual([])
  // Four objects of the file; nothing is left of the work.
  expect(await keysOf(ports.vault)).toHaveLength(4)
}

describe('htsvault serve --workers', () => {
  test('takes a large file in by shards, to what one pass makes of it', async () => {
    await start()
    await copyIn()
    await expectServed()
    expect(vault.output).toMatch(/^ingesting study\/x\.bam {2}45\.3 MB {2}2 of 3 shards$/m)
    const ports = openLocalVault(vault.data)
    const bySharding = (await findManifest(ports.vault, 'study/x', ['BAM']))!
    expect(bySharding.parts).toMatchObject({ bytes: 16 << 20 })
    const region = '/reads/study/x?referenceName=chr1&start=2500000&end=2600000'
    const [seen, part] = [await seenFile(ports, bySharding), await fetchTicket(region)]

    await ports.inbox.put('once/x.bam', file)
    const once = await ingestUpload(ports, 'once/x.bam')
    if (once.state !== 'served') throw new Error(once.state)
    expect(seen).toEqual(await seenFile(ports, once.manifest))
    expect(part.length).toBeLessThan(file.length / 4)
    expect(Buffer.compare(part, await fetchTicket(region.replace('study', 'once')))).toBe(0)

    // A small one goes by one pass.
    expect(await vault.upload('study/small.bam', demo)).toMatchObject({ state: 'served' })
    const small = (await findManifest(ports.vault, 'study/small', ['BAM']))!
    expect(small.sha256).toBeDefined()
    expect(await vault.stop()).toBe(0)
  })

  test.each([
    ['killed', 'SIGKILL', null],
    ['ended by two Ctrl-C', 'SIGINT', 130],
  ] as const)('%s half-way, it leaves nothing that is seen, and begins anew', async (_, signal, code) => {
    faulty('stall')
    await copyIn()
    await start()
    await untilDone(2)
    expect((await fetch(`${vault.url}/reads/study/x`)).status).toBe(404)
    if (signal === 'SIGINT') {
      vault.signal('SIGINT')
      await setTimeout(1100)
    }
    expect(await vault.stop(signal)).toBe(code)
    const kept = await keysOf(openLocalVault(vault.data).vault)
    expect(kept).toHaveLength(3)
    for (const key of kept) expect(key).toMatch(/^_htsvault\/work\//)
    expect(existsSync(join(vault.data, 'inbox', 'study', 'x.bam'))).toBe(true)

    vault.env = {}
    await start()
    await expectServed()
    // What the dead process wrote of the body is gone with it.
    const areas = readdirSync(join(vault.data, 'vault', '.tmp'), { recursive: true, withFileTypes: true })
    expect(areas.filter(entry => entry.isFile())).toEqual([])
  })

  test('a worker that dies is replaced', async () => {
    const mark = join(vault.data, 'died')
    faulty(`die-once:${mark}`)
    await start()
    await copyIn()
    await expectServed()
    expect(existsSync(mark)).toBe(true)
  })

  test('workers that die again and again fail the file, not the vault', async () => {
    faulty('die')
    await start()
    await copyIn()
    expect(await vault.settled('study/x.bam')).toMatchObject([{ state: 'failed', code: 'WORKER_DIED' }])
    expect(vault.output).toMatch(/^failed {4}study\/x\.bam .* WORKER_DIED: .* on shard 2$/m)
    const ports = openLocalVault(vault.data)
    expect(await keysOf(ports.vault)).toEqual([])
    expect(await keysOf(ports.inbox)).toEqual(['study/x.bam'])
    expect(await vault.upload('study/small.bam', demo)).toMatchObject({ state: 'served' })
    expect(await vault.stop()).toBe(0)

    vault.env = {}
    await vault.start('--no-demo', '--workers', '1')
    await vault.settled('study/x.bam')
    expect(Buffer.compare(await fetchTicket('/reads/study/x'), file)).toBe(0)
  })
})
