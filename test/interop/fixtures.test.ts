import { createHash } from 'node:crypto'
import { copyFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { expect, test } from '@jest/globals'
import { fixtures, refusedFixtures, type Fixture } from '#test/fixtures/index.ts'
import { output, requireTools, run, temporaryFolder } from '#test/support/interop.ts'

const folder = temporaryFolder()

const isReads = (fixture: Fixture) => fixture.format === 'BAM' || fixture.format === 'CRAM'

/** The records as text; unrelated to how the file is cut into blocks, containers and slices. */
async function recordsOf(fixture: Fixture): Promise<string> {
  const reference = fixture.reference === undefined ? [] : ['-T', fixture.reference]
  const text = isReads(fixture)
    ? await output('samtools', ['view', ...reference, fixture.path])
    : await output('bcftools', ['view', '-H', fixture.path])
  return text.toString()
}

/** The tools' own index of a file, made beside a copy of it. */
async function indexWith(fixture: Pick<Fixture, 'path' | 'format' | 'index'>) {
  const copy = join(folder, basename(fixture.path))
  await copyFile(fixture.path, copy)
  const csi = fixture.index === 'csi'
  if (fixture.format === 'VCF') return run('tabix', ['-f', ...(csi ? ['-C'] : []), '-p', 'vcf', copy])
  if (fixture.format === 'BCF') return run('bcftools', ['index', '-f', copy])
  return run('samtools', ['index', ...(csi ? ['-c'] : []), copy])
}

requireTools(
  'samtools',
  'bcftools',
  'tabix',
)('the fixtures', () => {
  test.each(fixtures)('$name: the tools index it', async fixture => {
    const { code, stderr } = await indexWith(fixture)
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
  })

  const contents = [...new Set(fixtures.map(({ content, format }) => `${content} ${format === 'BAM' || format === 'CRAM' ? 'reads' : 'variants'}`))] // prettier-ignore

  test.each(contents)('%s: all files of this content hold the same records', async content => {
    const [name, kind] = content.split(' ')
    const same = fixtures.filter(each => each.content === name && isReads(each) === (kind === 'reads'))
    const digests: Record<string, string> = {}
    for (const fixture of same)
      digests[fixture.name] = createHash('md5')
        .update(await recordsOf(fixture))
        .digest('hex')
    expect(digests).toEqual(Object.fromEntries(same.map(each => [each.name, digests[same[0]!.name]])))
  })

  const unsorted = refusedFixtures.filter(each => each.code === 'UNSORTED')

  test.each(unsorted)('$name: the tools refuse it too', async ({ path, name }) => {
    const format = ([['.bam', 'BAM'], ['.cram', 'CRAM'], ['.vcf.gz', 'VCF'], ['.bcf', 'BCF']] as const).find(([ending]) => name.endsWith(ending))![1] // prettier-ignore
    const { code } = await indexWith({ path, format, index: 'csi' })
    expect(code).not.toBe(0)
  })
})
