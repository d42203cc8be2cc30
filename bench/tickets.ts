/**
 * Latency of tickets by HTTP over 1,000 random regions of 1 kb, 100 kb and 10 Mb of the BAM, and what they cover.
 *
 *     npx node bench/generate.ts bam && npx node bench/tickets.ts [--scale S]
 *
 * One client, one connection, one request at a time; cold: the first request of a server.
 */
import { linkSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { VaultProcess } from '#test/support/VaultProcess.ts'
import { seededRandom } from '#test/support/random.ts'
import { benchFile } from './generate/benchFile.ts'

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } })
const path = benchFile('bam', Number(values.scale))
const folder = mkdtempSync(join(path, '..', 'tickets-'))
const vault = new VaultProcess(folder)
try {
  mkdirSync(join(folder, 'inbox', 'bench'), { recursive: true })
  linkSync(path, join(folder, 'inbox', 'bench', 'x.bam'))
  await vault.start('--no-demo')
  await vault.settled('bench/x.bam')
  await vault.stop()
  await vault.start('--no-demo')

  const header = await (await fetch(`${vault.url}/reads/bench/x?class=header`)).text()
  if (!header.includes('htsget')) throw new Error(header)
  await vault.stop()
  await vault.start('--no-demo')

  const random = seededRandom(1)
  const ask = async (size: number) => {
    const start = random.below(20_000_000)
    const began = performance.now()
    const reply = await fetch(
      `${vault.url}/reads/bench/x?referenceName=chr1&start=${start}&end=${start + size}`,
    )
    await reply.text()
    if (!reply.ok) throw new Error(String(reply.status))
    return performance.now() - began
  }
  console.log(`cold: ${(await ask(1000)).toFixed(1)} ms`)
  for (const size of [1000, 100_000, 10_000_000]) {
    const times: number[] = []
    for (let i = 0; i < 1000; i++) times.push(await ask(size))
    times.sort((a, b) => a - b)
    const at = (part: number) => times[Math.floor(times.length * part)]!.toFixed(2)
    console.log(`${size} bases: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, 1,000 regions`)
  }
} finally {
  await vault.remove()
}
rmSync(folder, { recursive: true, force: true })
