import { join } from 'node:path'
import { beforeAll, expect, jest, test } from '@jest/globals'
import type { SoundFile } from '#cli/check/checkFile.ts'
import { fixtures } from '#test/fixtures/index.ts'
import { output, requireTools } from '#test/support/interop.ts'

jest.setTimeout(300_000)

const entry = join(import.meta.dirname, '..', '..', 'cli', 'htsvault.js')

/** How many records samtools or bcftools reads, and how many of them on no reference. */
async function counted({ path, format, reference }: (typeof fixtures)[number]) {
  if (format === 'VCF' || format === 'BCF') {
    const lines = (await output('bcftools', ['query', '-f', '%POS\n', path])).toString()
    return { records: lines.split('\n').length - 1, unplacedRecords: 0 }
  }
  const options = reference === undefined ? [] : ['-T', reference]
  const count = async (...filter: string[]) =>
    Number(await output('samtools', ['view', '-c', ...options, ...filter, path]))
  return { records: await count(), unplacedRecords: await count('-e', 'rname == "*"') }
}

requireTools(
  'samtools',
  'bcftools',
  'sha256sum',
  'md5sum',
)('htsvault check', () => {
  let reports: SoundFile[] = []
  beforeAll(async () => {
    const printed = await output(process.execPath, [entry, 'check', '--json', ...fixtures.map(f => f.path)])
    reports = printed
      .toString()
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as SoundFile)
  })

  test.each(fixtures.map((fixture, i) => ({ ...fixture, i })))(
    'counts and digests $name as the tools do',
    async ({ i, ...fixture }) => {
      const { records, unplacedRecords, sha256, md5 } = reports[i]!
      expect({ records, unplacedRecords }).toEqual(await counted(fixture))
      expect((await output('sha256sum', [fixture.path])).toString()).toMatch(sha256)
      expect((await output('md5sum', [fixture.path])).toString()).toMatch(md5)
    },
  )
})
