import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { localPorts } from '#cli/openLocalVault.ts'
import { ingestByThreads } from '#cli/serve/shards/ingestByThreads.ts'
import { ShardThreads } from '#cli/serve/shards/ShardThreads.ts'
import { randomBytes } from '#shared/crypt4gh/Backend.ts'
import { encryptBytes } from '#shared/crypt4gh/body/encryptBytes.ts'
import { writeHeader } from '#shared/crypt4gh/header/writeHeader.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { endDeadWork } from '#shared/local/endDeadWork.ts'
import { ingestUpload, type IngestOutcome } from '#shared/vault/ingestUpload.ts'
import { ingestInShards } from '#shared/vault/large/ingestInShards.ts'
import { planLarge } from '#shared/vault/large/planLarge.ts'
import { workShard } from '#shared/vault/large/workShard.ts'
import { keysOf } from '#test/support/folderVault.ts'
import { outage } from '#test/support/faultyStore.ts'
import { largeFiles } from '#test/support/largeFiles.ts'
import { seenFile } from '#test/support/seenFile.ts'

jest.setTimeout(60_000)
const scratch = mkdtempSync(join(tmpdir(), 'htsvault-threads-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
const cuts = () => ({ partBytes: 65536, shardParts: 2 })

function manifestOf(end: IngestOutcome) {
  if (end.state !== 'served') throw new Error(JSON.stringify(end))
  return end.manifest
}

describe('an ingest by worker threads', () => {
  test.each(largeFiles.filter(({ name }) => ['reads.bam', 'reads.cram', 'sites.vcf.gz'].includes(name)))(
    '$name: index, block map and body are those of one pass',
    async ({ name, bytes }) => {
      const data = join(scratch, name)
      const ports = localPorts(data)
      const key = `d/${name}`
      await ports.inbox.put(key, bytes())
      const whole = await seenFile(ports, manifestOf(await ingestUpload(ports, key)))
      await ports.inbox.put(key, bytes())
      const told: string[] = []
      const progress = (done: number, of: number) => told.push(`${done}/${of}`)
      const manifest = manifestOf(await ingestByThreads(ports, key, { data, workers: 2, cuts, progress }))
      expect(manifest.parts).toBeDefined()
      expect(await seenFile(ports, manifest)).toEqual(whole)
      const shards = Math.ceil(bytes().length / 131072)
      expect(told).toEqual(Array.from({ length: shards }, (_, i) => `${i + 1}/${shards}`))
      expect(await keysOf(ports.inbox)).toEqual([])
      expect(await keysOf(ports.vault)).toHaveLength(4)
    },
  )

  test('so are those of an upload that is encrypted, whose body is copied', async () => {
    const data = join(scratch, 'encrypted')
    const ports = localPorts(data)
    const dataKey = randomBytes(32, nodeBackend)
    const recipients = [(await ports.keys.keyPair()).publicKey]
    const plain = largeFiles[0]!.bytes()
    const sealed = Buffer.concat([
      writeHeader({ dataKeys: [dataKey], recipients }, nodeBackend),
      encryptBytes(plain, dataKey, nodeBackend),
    ])
    await ports.inbox.put('d/x.bam.c4gh', sealed)
    const whole = await seenFile(ports, manifestOf(await ingestUpload(ports, 'd/x.bam.c4gh')))
    await ports.inbox.put('d/x.bam.c4gh', sealed)
    const manifest = manifestOf(await ingestByThreads(ports, 'd/x.bam.c4gh', { data, workers: 2, cuts }))
    expect(manifest.parts).toBeDefined()
    expect(await seenFile(ports, manifest)).toEqual(whole)
    expect(whole.body).toBe(createHash('sha256').update(plain).digest('hex'))
    expect(await keysOf(ports.vault)).toHaveLength(4)
  })

  test('a refusal is that of one pass, and nothing is left', async () => {
    const data = join(scratch, 'refused')
    const ports = localPorts(data)
    const cut = largeFiles[0]!.bytes().subarray(0, 200_000)
    await ports.inbox.put('d/x.bam', cut)
    const whole = await ingestUpload(ports, 'd/x.bam')
    expect(whole.state).toBe('refused')
    expect(await ingestByThreads(ports, 'd/x.bam', { data, workers: 2, cuts })).toEqual(whole)
    expect(await keysOf(ports.vault)).toEqual([])
  })
})

describe('worker threads', () => {
  const script = (code: string) =>
    new URL(
      `data:text/javascript,${encodeURIComponent(
        `import { parentPort, workerData } from 'node:worker_threads'
         import { existsSync, writeFileSync } from 'node:fs'
         parentPort.on('message', ({ work, shard }) => { ${code} })`,
      )}`,
    )
  const threads = (code: string, data = scratch) =>
    new ShardThreads(data, { script: script(code), waitMs: 1, heapMegabytes: 16 })
  const done = 'parentPort.postMessage({ done: true })'

  test('one that dies is replaced, and the shard tried again', async () => {
    const mark = join(scratch, 'died')
    const pool = threads(
      `if (existsSync(workerData.data.data)) return ${done}; writeFileSync(workerData.data.data, ''); process.exit(3)`,
      mark,
    )
    await pool.run('w', 0)
    expect(existsSync(mark)).toBe(true)
    await pool.close()
  })

  test.each([
    ['exits', 'process.exit(0)', /^a worker thread ended 3 times on shard 6$/],
    ['throws', 'throw new Error("x")', /^a worker thread ended 3 times on shard 6$/],
    ['rejects', 'void Promise.reject(new Error("x"))', /^a worker thread ended 3 times on shard 6$/],
    [
      'uses too much memory',
      'const all = []; for (;;) all.push({ at: String(all.length) })',
      /shard 6: it ran out of memory$/,
    ],
  ])('one that always %s fails the shard', async (_, code, message) => {
    const pool = threads(code)
    const failed = await pool.run('w', 5).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'WORKER_DIED' })
    expect((failed as Error).message).toMatch(message)
    await pool.close()
  })

  test('one that died between two shards is not waited for', async () => {
    const pool = threads(`${done}; setTimeout(() => process.exit(1), 1)`)
    await pool.run('w', 0)
    await new Promise(resolve => setTimeout(resolve, 200))
    await pool.run('w', 1)
    await pool.close()
  })

  test('what a shard fails with comes through, and its thread goes on', async () => {
    const pool = threads(`shard ? ${done} : parentPort.postMessage({ failed: { code: 'STORE_UNAVAILABLE',
      message: 'no answer', place: { file: 'd/x' }, hint: 'wait' } })`)
    await expect(pool.run('w', 0)).rejects.toMatchObject({
      name: 'HtsvaultError',
      code: 'STORE_UNAVAILABLE',
      message: 'no answer',
      place: { file: 'd/x' },
      hint: 'wait',
    })
    await pool.run('w', 1)
    await pool.close()
  })

  test('a shard that fails for good ends the ingest at once, and nothing but the upload is left', async () => {
    const ports = localPorts(join(scratch, 'for good'))
    await ports.inbox.put('d/x.bam', largeFiles[0]!.bytes())
    const begun: number[] = []
    const run = async (work: string, shard: number) => {
      begun.push(shard)
      if (shard === 1) throw new Error('for good')
      await workShard(ports, work, shard)
    }
    await expect(
      ingestInShards(ports, 'd/x.bam', {
        cuts: () => ({ partBytes: 65536, shardParts: 1 }),
        run,
        workers: 2,
      }),
    ).rejects.toThrow('for good')
    expect(begun).toEqual([0, 1])
    expect(await keysOf(ports.inbox)).toEqual(['d/x.bam'])
    expect(await keysOf(ports.vault)).toEqual([])
  })
})

test('work of processes that are no more is ended at the next start, that of others is not', async () => {
  const data = join(scratch, 'dead work')
  const dir = join(data, 'vault')
  const ports = localPorts(data)
  const { etag } = await ports.inbox.put('d/x.bam', largeFiles[0]!.bytes())
  const host = (await import('node:os')).hostname()
  // No process has this id: Linux gives none above 2^22.
  const works = [
    `${host},99999999,dead`,
    `${host},${process.ppid},alive`,
    'elsewhere,1,alive',
    'of-no-process',
  ]
  for (const work of works) {
    await planLarge(ports, { work, key: 'd/x.bam', etag }, cuts)
    await workShard(ports, work, 0)
  }
  const bodies = () => readdirSync(join(dir, '.tmp'), { recursive: true }).length
  const before = bodies()
  const errors: unknown[] = []
  await endDeadWork(join(scratch, 'nowhere'), ports, error => errors.push(error))
  await endDeadWork(dir, ports, error => errors.push(error))
  const left = new Set((await keysOf(ports.vault)).map(key => key.split('/')[2]))
  expect(left).toEqual(new Set(works.slice(1)))
  expect(bodies()).toBeLessThan(before)
  expect(errors).toEqual([])

  // One that cannot be opened goes too, and one that cannot be deleted keeps nobody from starting.
  const plan = `_htsvault/work/${works[0]}/plan.c4gh`
  await ports.vault.put(plan, Buffer.from('nonsense'))
  const stuck = { ...ports.vault, delete: () => Promise.reject(outage()) }
  await endDeadWork(dir, { ...ports, vault: stuck }, error => errors.push(error))
  expect(errors).toMatchObject([{ code: 'STORE_UNAVAILABLE' }])
  await endDeadWork(dir, ports, error => errors.push(error))
  expect(errors).toHaveLength(1)
  expect(await ports.vault.head(plan)).toBeUndefined()
  expect(readdirSync(join(dir, '_htsvault', 'work')).sort()).toEqual(works.slice(1).sort())
})
