/**
 * The block map of a file of about 100 GB: what building it takes, how long it is, and what a query reads.
 *
 *     npx node bench/block-map.ts [units]
 *
 * The units are drawn (seeded) as those of a deeply sequenced genome: 25 references of human proportions, blocks of
 * about 20 kB with 210 records each, one record in a thousand reaching over 20 kb, 0.5 % unplaced at the end.
 */
import { memorySource, type ByteSource } from '#shared/bytes/ByteSource.ts'
import { virtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { BlockMapBuilder } from '#shared/indexes/blockMap/BlockMapBuilder.ts'
import { blockMapTail, openBlockMap } from '#shared/indexes/blockMap/openBlockMap.ts'
import type { Region } from '#shared/indexes/blockMap/Region.ts'

const units = Number(process.argv[2] ?? 5_000_000)
const recordsPerUnit = 210
const megabases = [248, 242, 198, 190, 182, 171, 159, 145, 138, 134, 135, 133, 114, 107, 102, 90, 83, 80, 59, 64, 47, 51, 156, 57, 0.016] // prettier-ignore
const references = megabases.map((mb, i) => ({ name: `chr${i + 1}`, length: Math.round(mb * 1e6) }))
const genome = references.reduce((sum, { length }) => sum + length, 0)

let seed = 42
const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647

const builder = new BlockMapBuilder()
const placedUnits = Math.round(units * 0.995)
let block = 10_000
let records = 0
const cpu = () => process.cpuUsage().user / 1e6
const buildStart = cpu()
for (const [refId, { length }] of references.entries()) {
  const here = Math.max(1, Math.round((placedUnits * length) / genome))
  const step = length / (here * recordsPerUnit)
  for (let unit = 0; unit < here; unit++) {
    block += 15_000 + Math.floor(random() * 10_000)
    for (let i = 0; i < recordsPerUnit; i++, records++) {
      const beg = Math.floor((unit * recordsPerUnit + i) * step)
      builder.add(refId, beg, beg + (records % 1000 === 7 ? 20_000 : 150), virtualOffset(block, i * 300))
    }
  }
}
for (let unit = placedUnits; unit < units; unit++) {
  block += 20_000
  for (let i = 0; i < recordsPerUnit; i++, records++) builder.add(-1, -1, 0, virtualOffset(block, i * 300))
}
const added = cpu()
const header = references.map(({ name, length }) => `@SQ\tSN:${name}\tLN:${length}\n`).join('')
const map = builder.finish({
  format: 'BAM',
  references,
  header: new TextEncoder().encode(header),
  eof: new Uint8Array(28),
  headerEnd: virtualOffset(10_000, 0),
  dataEnd: virtualOffset(block + 20_000, 0),
  fileSize: block + 20_028,
})
const finished = cpu()
const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
console.log(
  `file            ${(block / 1e9).toFixed(1)} GB, ${(records / 1e6).toFixed(0)} M records, ${units} units`,
)
console.log(
  `add             ${(((added - buildStart) * 1e9) / records).toFixed(1)} ns CPU a record (drawing them included)`,
)
console.log(`finish          ${((finished - added) * 1000).toFixed(0)} ms CPU`)
console.log(
  `map             ${mb(map.length)}, ${(map.length / units).toFixed(2)} bytes a unit, ${((map.length / block) * 100).toFixed(3)} % of the file`,
)
console.log(`memory          ${mb(process.memoryUsage.rss())} with the map`)

const source = memorySource(map)
let reads = 0
let bytesRead = 0
const counted: ByteSource = {
  ...source,
  read(start, end) {
    reads++
    bytesRead += end - start
    return source.read(start, end)
  },
}
const tail = blockMapTail(map)
const median = (values: number[], at = 0.5) => values.sort((a, b) => a - b)[Math.floor(values.length * at)]!

for (const size of [1, 1_000, 100_000, 10_000_000]) {
  const cold: number[] = []
  const warm: number[] = []
  const readCounts: number[] = []
  const readBytes: number[] = []
  for (let i = 0; i < 500; i++) {
    const refId = Math.floor(random() * 24)
    const start = Math.floor(random() * Math.max(1, references[refId]!.length - size))
    const regions: Region[] = [{ refId, start, end: start + size }]
    reads = bytesRead = 0
    const begun = performance.now()
    const opened = await openBlockMap(counted, tail)
    await opened.units(regions)
    cold.push(performance.now() - begun)
    readCounts.push(reads)
    readBytes.push(bytesRead)
    const again = performance.now()
    await opened.units(regions)
    warm.push(performance.now() - again)
  }
  console.log(
    `query ${String(size).padStart(9)}  cold p50 ${median(cold).toFixed(2)} ms, p99 ${median(cold, 0.99).toFixed(2)} ms; ` +
      `warm p50 ${median(warm).toFixed(2)} ms; reads p50 ${median(readCounts)}, most ${Math.max(...readCounts)}; ` +
      `bytes p50 ${median(readBytes)}, most ${Math.max(...readBytes)}`,
  )
}
