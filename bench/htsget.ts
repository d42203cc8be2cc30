/**
 * Tickets over 1,000 random regions each of 1 kb, 100 kb and 10 Mb of the BAM, the CRAM and the VCF of many samples: bytes
 * against the least, latency, reads of storage, requests a second, memory.
 *
 *     npx node bench/generate.ts bam cram vcf && npx node bench/htsget.ts [--scale S] [--regions N]
 *
 * Cold: nothing of the file is known (a vault of its own each time, the key is there). Warm: the same process, and the
 * next region. Both call `answerTicket`; by HTTP it is a vault as `npm start` has it, one client, then 50.
 */
import { linkSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { openLocalVault } from '#cli/openLocalVault.ts'
import { blockOf } from '#shared/bgzf/VirtualOffset.ts'
import { planRuns, defaultLimits } from '#shared/htsget/planTicket.ts'
import type { HtsgetQuery } from '#shared/htsget/HtsgetQuery.ts'
import { openBlockMap } from '#shared/indexes/blockMap/openBlockMap.ts'
import { answerTicket } from '#shared/vault/answerTicket.ts'
import { findManifest } from '#shared/vault/findManifest.ts'
import { openStored } from '#shared/vault/openStored.ts'
import { recordedPorts } from '#test/support/recordedPorts.ts'
import { seededRandom } from '#test/support/random.ts'
import { VaultProcess } from '#test/support/VaultProcess.ts'
import { benchFile } from './generate/benchFile.ts'

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, regions: { type: 'string', default: '1000' } },
})
const scale = Number(values.scale)
const count = Number(values.regions)
const files = [
  { path: benchFile('bam', scale), name: 'x.bam', datatype: 'reads', format: 'BAM' },
  { path: benchFile('cram', scale), name: 'y.cram', datatype: 'reads', format: 'CRAM' },
  { path: benchFile('vcf', scale), name: 'z.vcf.gz', datatype: 'variants', format: 'VCF' },
] as const
const sizes = [1000, 100_000, 10_000_000]
const folder = mkdtempSync(join(benchFile('bam', scale), '..', '..', 'htsget-'))
const vault = new VaultProcess(folder)

const quantiles = (times: number[]) => {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.floor(sorted.length * part)]!.toFixed(2)
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`
}
const dataUrl = 'https://vault.example.org/data/'

async function measure({ name, datatype, format }: (typeof files)[number]): Promise<void> {
  const ports = openLocalVault(folder)
  const id = `bench/${name.slice(0, 1)}`
  const manifest = (await findManifest(ports.vault, id, [format]))!
  const map = await openBlockMap(await openStored(ports, manifest.blockMap), manifest.blockMap.tail)
  for (const size of sizes) {
    const random = seededRandom(size)
    const regions = Array.from({ length: count }, () => {
      const refId = random.below(map.references.length)
      const { name: referenceName, length = 0 } = map.references[refId]!
      const start = random.below(Math.max(1, length - size))
      return { refId, referenceName, start, end: start + size }
    })
    let least = 0
    let sent = 0
    for (const { refId, start, end } of regions) {
      const runs = await map.units([{ refId, start, end }])
      least += runs.reduce((sum, run) => sum + blockOf(run.end) - blockOf(run.start), 0)
      for (const piece of planRuns(map, runs, defaultLimits))
        if (piece.kind === 'bytes') sent += piece.end - piece.start
        else if (piece.kind === 'virtual') sent += blockOf(piece.end) - blockOf(piece.start)
    }
    const ask = async (on: typeof ports, region: (typeof regions)[number]) => {
      const query: HtsgetQuery = { datatype, format, headerOnly: false, regions: [region] }
      const began = performance.now()
      await answerTicket(on, id, query, { dataUrl })
      return performance.now() - began
    }
    const cold: number[] = []
    const coldReads: number[] = []
    for (const region of regions.slice(0, Math.ceil(count / 5))) {
      const fresh = recordedPorts(ports)
      cold.push(await ask(fresh.ports, region))
      coldReads.push(fresh.uses.length)
    }
    const warmed = recordedPorts(ports)
    await ask(warmed.ports, regions[0]!)
    warmed.uses.length = 0
    const warm: number[] = []
    const cpu = process.cpuUsage()
    for (const region of regions) warm.push(await ask(warmed.ports, region))
    const { user, system } = process.cpuUsage(cpu)
    console.log(
      `${basename(name)} ${size} bases: bytes ${(sent / least).toFixed(3)} of the least (${(least / count / 1e6).toFixed(2)} MB a region); ` +
        `cold ${quantiles(cold)}, at most ${Math.max(...coldReads)} reads; warm ${quantiles(warm)}, ` +
        `${((user + system) / 1000 / count).toFixed(2)} ms CPU, ${warmed.uses.length} reads in all`,
    )
  }
}

/** By HTTP: so many requests a second, of so many clients at once. */
async function load(clients: number): Promise<void> {
  const random = seededRandom(clients)
  let left = 3 * count
  const times: number[] = []
  const began = performance.now()
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (left-- > 0) {
        const start = random.below(10_000_000)
        const size = random.pick(sizes)
        const one = performance.now()
        const reply = await fetch(
          `${vault.url}/reads/bench/x?referenceName=chr1&start=${start}&end=${start + size}`,
        )
        await reply.text()
        if (!reply.ok) throw new Error(String(reply.status))
        times.push(performance.now() - one)
      }
    }),
  )
  const seconds = (performance.now() - began) / 1000
  console.log(
    `by HTTP, ${clients} at once: ${Math.round(times.length / seconds)} tickets a second, ${quantiles(times)}`,
  )
}

try {
  mkdirSync(join(folder, 'inbox', 'bench'), { recursive: true })
  for (const { path, name } of files) linkSync(path, join(folder, 'inbox', 'bench', name))
  await vault.start('--no-demo')
  await vault.settled(...files.map(({ name }) => `bench/${name}`))
  await vault.stop()
  for (const file of files) await measure(file)
  console.log(`memory of this process: ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB`)
  await vault.start('--no-demo')
  for (const clients of [1, 50]) await load(clients)
} finally {
  await vault.remove()
}
rmSync(folder, { recursive: true, force: true })
