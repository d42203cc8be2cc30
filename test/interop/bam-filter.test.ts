import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, jest, test } from '@jest/globals'
import { fixturesOf } from '#test/fixtures/index.ts'
import { breaches, chosen, columnRequests, nameOf } from '#test/support/columnRequests.ts'
import { filterBamFile } from '#test/support/filterBamFile.ts'
import { describeWithData, output, requireTools, sharedData, temporaryFolder } from '#test/support/interop.ts'

jest.setTimeout(300_000)

const folder = temporaryFolder()

const lines = async (path: string): Promise<string[]> =>
  (await output('samtools', ['view', '--no-PG', path])).toString('latin1').split('\n').filter(Boolean)

/** What is never there where it was not asked for: BAM is cut record by record. */
const gone = { QNAME: 0, MAPQ: 4, SEQ: 9, QUAL: 10 } as const

async function check(path: string): Promise<void> {
  const file = readFileSync(path)
  const original = await lines(path)
  for (const request of columnRequests) {
    const columns = chosen(request)
    const to = join(folder, 'filtered.bam')
    writeFileSync(to, await filterBamFile(file, columns))
    const got = await lines(to)
    expect([nameOf(request), ...breaches(original, got, columns)]).toEqual([nameOf(request)])
    const fields = got.map(line => line.split('\t'))
    for (const [field, at] of Object.entries(gone) as [keyof typeof gone, number][])
      if (!columns.fields.has(field))
        expect(fields.filter(columnsOf => !['*', '255'].includes(columnsOf[at]!))).toEqual([])
    if (request.tags?.length === 0) expect(fields.filter(columnsOf => columnsOf.length > 11)).toEqual([])
    await output('samtools', ['quickcheck', '-u', to])
  }
}

requireTools('samtools')('BAM keeps what was asked for and nothing else', () => {
  test.each(fixturesOf('BAM'))('$name', async ({ path }) => {
    await check(path)
  })

  describeWithData('reads')('real reads', () => {
    test('htsnexus_test_NA12878', async () => {
      await check(sharedData('reads/htsnexus_test_NA12878.bam')!)
    })
  })
})
