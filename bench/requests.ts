/**
 * How often the vault asks its stores, for the figures of docs/operation/cost.md: an ingest, one by shards of four
 * parts, tickets, data.
 *
 *     npx node bench/requests.ts [BAM]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { folderStore } from '#shared/local/folderStore.ts'
import { answerData } from '#shared/vault/answerData.ts'
import { answerTicket } from '#shared/vault/answerTicket.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import { ingestInShards } from '#shared/vault/large/ingestInShards.ts'
import { workShard } from '#shared/vault/large/workShard.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { largeFiles } from '#test/support/largeFiles.ts'
import { recordedPorts } from '#test/support/recordedPorts.ts'

const file = process.argv[2] ?? join(import.meta.dirname, '../demo/child.bam')
const folder = mkdtempSync(join(tmpdir(), 'htsvault-requests-'))
try {
  const pair = generateKeyPair(nodeBackend)
  const real: VaultPorts = {
    inbox: folderStore(join(folder, 'inbox')),
    vault: folderStore(join(folder, 'vault')),
    keys: { keyPair: async () => pair },
  }
  await mkdir(join(folder, 'inbox', 'd'), { recursive: true })
  await copyFile(file, join(folder, 'inbox', 'd', 'x.bam'))
  const recorded = recordedPorts(real)
  const tell = (what: string) => {
    const counts: Record<string, number> = {}
    for (const { action } of recorded.uses.splice(0)) counts[action] = (counts[action] ?? 0) + 1
    console.log(what, JSON.stringify(counts))
  }
  const outcome = await ingestUpload(recorded.ports, 'd/x.bam')
  if (outcome.state !== 'served') throw new Error(outcome.state)
  tell('ingest')
  await real.inbox.put('d/large.bam', largeFiles[0]!.bytes())
  await ingestInShards(recorded.ports, 'd/large.bam', {
    cuts: () => ({ partBytes: 65536, shardParts: 4 }),
    run: async (work, shard) => {
      if (shard === 0) tell('by shards, until the first')
      await workShard(recorded.ports, work, shard)
      tell(`shard ${shard}`)
    },
  })
  tell('by shards, after the last')
  // Another process than the one that took it in.
  const asking = recordedPorts({ ...real, vault: folderStore(join(folder, 'vault')) })
  recorded.uses.length = 0
  const tellAsking = (what: string) => {
    recorded.uses.push(...asking.uses.splice(0))
    tell(what)
  }
  const query = {
    datatype: 'reads',
    headerOnly: false,
    regions: [{ referenceName: 'chr1', start: 10_000, end: 20_000 }],
  } as const
  let ticket = ''
  for (const what of ['cold ticket', 'warm ticket']) {
    ticket = await answerTicket(asking.ports, 'd/x', query, { dataUrl: 'data/' })
    tellAsking(what)
  }
  const { urls } = (JSON.parse(ticket) as { htsget: { urls: { url: string }[] } }).htsget
  const data = urls.filter(({ url }) => url.startsWith('data/'))
  console.log(`${data.length} data URLs in the ticket`)
  for (const { url } of data.slice(0, 1))
    for await (const chunk of (await answerData(asking.ports, url.slice(5))).body)
      if (chunk.length === 0) throw new Error('an empty chunk')
  tellAsking('one piece of data')
} finally {
  rmSync(folder, { recursive: true, force: true })
}
