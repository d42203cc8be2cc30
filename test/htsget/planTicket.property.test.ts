import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { eofMarker } from '#shared/bgzf/bgzfBlock.ts'
import { readBgzf } from '#shared/bgzf/readBgzf.ts'
import { blockOf, virtualOffset, type VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { writeBgzf } from '#shared/bgzf/writeBgzf.ts'
import { memorySource } from '#shared/bytes/ByteSource.ts'
import { planHeader, planRuns, planWhole } from '#shared/htsget/planTicket.ts'
import { BlockMapBuilder } from '#shared/indexes/blockMap/BlockMapBuilder.ts'
import { openBlockMap } from '#shared/indexes/blockMap/openBlockMap.ts'
import { carryOut } from './carryOut.ts'

/** A file of records that are lines `<beg> …`, with what its blocks and record lengths are made of. */
interface Drawn {
  readonly headerLength: number
  readonly lengths: readonly number[]
  readonly blockSizes: readonly number[]
}

interface Line {
  readonly beg: number
  readonly start: VirtualOffset
  readonly text: string
}

/** The BGZF file of a drawn one, and its records with their virtual offsets: blocks are cut regardless of records. */
function build({ headerLength, lengths, blockSizes }: Drawn) {
  const header = 'h'.repeat(headerLength)
  const texts = lengths.map((length, i) => `${i * 1000} ${'x'.repeat(length)}\n`)
  const plain = new TextEncoder().encode(header + texts.join(''))
  const borders: { plain: number; block: number }[] = []
  const blocks: Uint8Array[] = []
  let at = 0
  let block = 0
  for (let i = 0; at < plain.length; i++) {
    const size = blockSizes[i % blockSizes.length]!
    borders.push({ plain: at, block })
    const bytes = writeBgzf(plain.subarray(at, at + size), { eof: false })
    blocks.push(bytes)
    block += bytes.length
    at += size
  }
  const file = Uint8Array.from(Buffer.concat([...blocks, eofMarker]))
  const dataEnd = virtualOffset(block, 0)
  const locate = (offset: number): VirtualOffset => {
    if (offset >= plain.length) return dataEnd
    const border = borders.findLast(b => b.plain <= offset)!
    return virtualOffset(border.block, offset - border.plain)
  }
  let place = header.length
  const lines: Line[] = texts.map((text, i) => {
    const start = locate(place)
    place += text.length
    return { beg: i * 1000, start, text }
  })
  return { file, header, lines, headerEnd: locate(header.length), dataEnd }
}

async function mapOf({ file, header, lines, headerEnd, dataEnd }: ReturnType<typeof build>) {
  const builder = new BlockMapBuilder()
  for (const { beg, start } of lines) builder.add(0, beg, beg + 1, start)
  const map = builder.finish({
    format: 'VCF',
    headerEnd,
    dataEnd,
    fileSize: file.length,
    header: new TextEncoder().encode(header),
    eof: eofMarker,
    references: [{ name: 'chr1' }],
  })
  return openBlockMap(memorySource(map))
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  headerLength: fc.integer({ min: 1, max: 300 }),
  lengths: fc.array(fc.constantFrom(0, 5, 40, 900), { maxLength: 60 }),
  blockSizes: fc.array(fc.integer({ min: 30, max: 700 }), { minLength: 1, maxLength: 5 }),
})
const limits = fc.record({
  pieceBytes: fc.constantFrom(17, 200, 100_000),
  gapBytes: fc.constantFrom(0, 90, 1000),
  inlineBytes: fc.constantFrom(0, 100_000),
})
const regions = fc.array(
  fc
    .tuple(fc.nat(60_000), fc.constantFrom(1, 1000, 20_000))
    .map(([start, length]) => ({ refId: 0, start, end: start + length })),
  { maxLength: 4 },
)
const text = new TextDecoder()

test('the pieces join to a file of the header and whole records, the wanted ones in order and each once', async () => {
  let cuts = 0
  await fc.assert(
    fc.asyncProperty(drawn, limits, regions, async (drawing, bounds, asked) => {
      const built = build(drawing)
      const map = await mapOf(built)
      const runs = await map.units(asked)
      const pieces = planRuns(map, runs, bounds)
      cuts += pieces.filter(piece => piece.kind === 'virtual').length
      const joined = await carryOut(pieces, built.file)
      expect(Buffer.from(joined.subarray(-eofMarker.length)).equals(eofMarker)).toBe(true)

      const got = text.decode(readBgzf(joined))
      expect(got.startsWith(built.header)).toBe(true)
      const records = got.slice(built.header.length).split(/(?<=\n)/).filter(Boolean) // prettier-ignore
      const inRuns = built.lines.filter(({ start }) =>
        runs.some(run => run.start <= start && start < run.end),
      )
      const wanted = inRuns.map(line => line.text)
      if (bounds.gapBytes === 0) expect(records).toEqual(wanted)
      // With gaps read along: still records of the file, in its order, each once.
      expect(built.lines.map(line => line.text).filter(line => records.includes(line))).toEqual(records)
      for (const line of wanted) expect(records).toContain(line)
      const overlapping = built.lines.filter(({ beg }) => asked.some(r => r.start <= beg && beg < r.end))
      for (const line of overlapping) expect(records).toContain(line.text)
    }),
    { numRuns: 600 },
  )
  expect(cuts).toBeGreaterThan(200)
})

test('the whole file comes back byte for byte, and the header as a file of its own', async () => {
  await fc.assert(
    fc.asyncProperty(drawn, limits, async (drawing, bounds) => {
      const built = build(drawing)
      const map = await mapOf(built)
      expect(Buffer.from(await carryOut(planWhole(map, bounds), built.file)).equals(built.file)).toBe(true)
      const header = await carryOut(planHeader(map, bounds), built.file)
      expect(text.decode(readBgzf(header))).toBe(built.header)
    }),
    { numRuns: 200 },
  )
})

test('the header is the same bytes in every ticket that has classes', async () => {
  await fc.assert(
    fc.asyncProperty(drawn, limits, regions, async (drawing, bounds, asked) => {
      const built = build(drawing)
      const map = await mapOf(built)
      const headers = [
        planHeader(map, bounds),
        planWhole(map, bounds),
        planRuns(map, await map.units(asked), bounds),
      ]
        .filter(pieces => pieces[0]?.class !== undefined)
        .map(pieces => pieces.filter(piece => piece.class === 'header'))
      const joined = await Promise.all(headers.map(pieces => carryOut(pieces, built.file)))
      for (const bytes of joined) expect(Buffer.from(bytes).equals(joined[0]!)).toBe(true)
      expect(blockOf(map.dataEnd)).toBeGreaterThan(0)
    }),
    { numRuns: 200 },
  )
})
