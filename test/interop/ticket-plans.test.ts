import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, jest, test } from '@jest/globals'
import { memorySource } from '#shared/bytes/ByteSource.ts'
import { planHeader, planRuns, planWhole, type PlanLimits } from '#shared/htsget/planTicket.ts'
import { resolveRegions } from '#shared/htsget/resolveRegions.ts'
import type { QueryRegion } from '#shared/htsget/HtsgetQuery.ts'
import { openBlockMap, type BlockMap } from '#shared/indexes/blockMap/openBlockMap.ts'
import { indexerOf } from '#shared/indexes/createFileIndexer.ts'
import { fixtures, type Fixture } from '#test/fixtures/index.ts'
import { carryOut } from '#test/htsget/carryOut.ts'
import { indexInChunks } from '#test/support/indexing.ts'
import { output, requireTools, temporaryFolder } from '#test/support/interop.ts'
import { seededRandom, type Random } from '#test/support/random.ts'

jest.setTimeout(300_000)

const folder = temporaryFolder()
const setsPerFile = 6

/** Pieces so small, and gaps so narrow, that small files are cut as large ones are. */
const limits: PlanLimits = { pieceBytes: 700, gapBytes: 0, inlineBytes: 1 << 20 }

interface Place {
  readonly name: string
  readonly position: number
}

const isReads = ({ format }: Fixture) => format === 'BAM' || format === 'CRAM'
const referenceOf = ({ reference }: Fixture) => (reference === undefined ? [] : ['-T', reference])

/** The records of a file as text, those that overlap the regions or all; no index is used. */
async function records(fixture: Fixture, path: string, bed?: string): Promise<string[]> {
  const args = isReads(fixture)
    ? ['view', '--no-PG', ...referenceOf(fixture), ...(bed ? ['-L', bed] : []), path]
    : ['view', '-H', ...(bed ? ['-T', bed, '--targets-overlap', '1'] : []), path]
  const text = await output(isReads(fixture) ? 'samtools' : 'bcftools', args)
  return text.toString('latin1').split('\n').filter(Boolean)
}

const places = (fixture: Fixture, lines: readonly string[]): Place[] =>
  lines
    .map(line => line.split('\t', 4))
    .map(([a, b, c, d]) => (isReads(fixture) ? { name: c!, position: +d! } : { name: a!, position: +b! }))
    .filter(({ name, position }) => name !== '*' && position > 0)

/** One to three regions near records, at their edges, and anywhere. */
function drawRegions(random: Random, found: readonly Place[], map: BlockMap): Required<QueryRegion>[] {
  return Array.from({ length: random.between(1, 3) }, () => {
    if (found.length === 0 || random.chance(0.2)) {
      const start = random.below(100_000)
      return {
        referenceName: random.pick(map.references).name,
        start,
        end: start + random.between(1, 50_000),
      }
    }
    const { name, position } = random.pick(found)
    const start = Math.max(0, position - 1 + random.pick([-1, 0, 1, 100, 3000, -200, -5000]))
    return { referenceName: name, start, end: start + random.pick([1, 1, 2, 150, 5000, 200_000]) }
  })
}

const write = (name: string, bytes: Uint8Array | string) => {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

async function open(fixture: Fixture, file: Uint8Array): Promise<BlockMap> {
  return openBlockMap(memorySource(indexInChunks(indexerOf(fixture.format), file, [65_536]).blockMap))
}

let found = 0

requireTools('samtools', 'bcftools')(
  'the pieces of tickets join to what the tools find in the original',
  () => {
    test.each(fixtures.map(fixture => [fixture.name, fixture] as const))('%s', async (name, fixture) => {
      const file = Uint8Array.from(readFileSync(fixture.path))
      const map = await open(fixture, file)
      const lines = await records(fixture, fixture.path)
      const random = seededRandom(name.length * 7919 + file.length)
      const stem = name.replaceAll('/', '-')

      const whole = await carryOut(planWhole(map, limits), file)
      expect(Buffer.from(whole).equals(file)).toBe(true)
      const header = write(`header-${stem}`, await carryOut(planHeader(map, limits), file))
      expect(await records(fixture, header)).toEqual([])

      const { datatype } = { datatype: isReads(fixture) ? ('reads' as const) : ('variants' as const) }
      for (let set = 0; set < setsPerFile && map.references.length > 0; set++) {
        const regions = drawRegions(random, places(fixture, lines), map)
        const bed = write(
          `${stem}.bed`,
          regions.map(r => `${r.referenceName}\t${r.start}\t${r.end}\n`).join(''),
        )
        const runs = await map.units(resolveRegions({ datatype, regions }, map.references))
        const joined = write(`${set}-${stem}`, await carryOut(planRuns(map, runs, limits), file))
        const expected = await records(fixture, fixture.path, bed)
        expect({ regions, records: await records(fixture, joined, bed) }).toEqual({
          regions,
          records: expected,
        })
        found += expected.length
      }

      if (!isReads(fixture)) return
      const unplaced = lines.filter(line => line.split('\t', 4)[2] === '*')
      const runs = await map.units(
        resolveRegions({ datatype, regions: [{ referenceName: '*' }] }, map.references),
      )
      const joined = write(`unplaced-${stem}`, await carryOut(planRuns(map, runs, limits), file))
      const got = await records(fixture, joined)
      expect(got.filter(line => line.split('\t', 4)[2] === '*')).toEqual(unplaced)
      if (unplaced.length === 0) expect(got).toEqual([])
    })

    test('and that was not little', () => {
      expect(found).toBeGreaterThan(3000)
    })
  },
)
