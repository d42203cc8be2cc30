import { expect, test } from '@jest/globals'
import { TabixIndexedFile } from '@gmod/tabix'
import { writeBgzf } from '#shared/bgzf/writeBgzf.ts'
import { VcfIndexer } from '#shared/indexes/VcfIndexer.ts'
import { variantText } from '#test/support/variantText.ts'

/** A file in memory, as @gmod's readers take one. */
function handle(bytes: Uint8Array) {
  const whole = Uint8Array.from(bytes)
  return {
    read: async (length: number, position: number) => whole.slice(position, position + length),
    readFile: async () => whole,
    stat: async () => ({ size: whole.length }),
    close: async () => undefined,
  }
}

test.each(['tbi', 'csi'] as const)('@gmod/tabix reads records through our %s', async kind => {
  const contigs = ['a', 'b:1'].map(name => ({ name, length: 10_000_000 }))
  const text = variantText({ seed: 3, contigs, records: 2000 })
  const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  const file = writeBgzf(Buffer.from(text), { blockSize: 5000 })
  const indexer = new VcfIndexer({ index: kind })
  indexer.push(file)
  const index = handle(indexer.finish().index.bytes)
  const reader = new TabixIndexedFile({
    filehandle: handle(file) as never,
    ...(kind === 'tbi' ? { tbiFilehandle: index as never } : { csiFilehandle: index as never }),
  })
  let compared = 0
  for (const { name } of contigs)
    for (let start = 0; start < 1_000_000; start += 90_000) {
      const end = start + 20_000
      const found: string[] = []
      await reader.getLines(name, start, end, line => void found.push(line))
      const expected = lines.filter(line => {
        const [chrom, pos, , ref] = line.split('\t')
        const begin = Number(pos) - 1
        return chrom === name && begin < end && begin + ref!.length > start
      })
      expect(found).toEqual(expected)
      compared += expected.length
    }
  expect(compared).toBeGreaterThan(500)
})
