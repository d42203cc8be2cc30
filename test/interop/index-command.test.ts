import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Format } from '#shared/indexes/FileIndexer.ts'
import { fixtures } from '#test/fixtures/index.ts'
import { output, requireTools, run, temporaryFolder } from '#test/support/interop.ts'
import { inflateBgzf } from '#test/support/reblock.ts'

jest.setTimeout(300_000)

const entry = join(import.meta.dirname, '..', '..', 'cli', 'htsvault.js')
const htsvault = (...args: string[]) => run(process.execPath, [entry, 'index', ...args])

const folder = temporaryFolder()
const nameOf = (name: string) => name.replaceAll('/', '-')

/** Ways to the same index: ours, and each tool's. */
const ways: readonly {
  readonly formats: readonly Format[]
  readonly kind: string
  readonly tools: readonly (readonly string[])[]
}[] = [
  { formats: ['BAM'], kind: 'bai', tools: [['samtools', 'index', '-b']] },
  { formats: ['BAM'], kind: 'csi', tools: [['samtools', 'index', '-c']] },
  { formats: ['CRAM'], kind: 'crai', tools: [['samtools', 'index']] },
  {
    formats: ['VCF'],
    kind: 'tbi',
    tools: [
      ['tabix', '-f', '-p', 'vcf'],
      ['bcftools', 'index', '-f', '-t'],
    ],
  },
  {
    formats: ['VCF'],
    kind: 'csi',
    tools: [
      ['tabix', '-f', '-C', '-p', 'vcf'],
      ['bcftools', 'index', '-f', '-c'],
    ],
  },
  {
    formats: ['BCF'],
    kind: 'csi',
    tools: [
      ['bcftools', 'index', '-f', '-c'],
      ['tabix', '-f', '-C'],
    ],
  },
]

/** What an index file holds: that of CRAM is gzip, that of BAM plain, the others BGZF. */
const contentOf = (path: string): Buffer => {
  const bytes = readFileSync(path)
  if (path.endsWith('.bai')) return bytes
  return path.endsWith('.crai') ? gunzipSync(bytes) : inflateBgzf(bytes)
}

requireTools(
  'samtools',
  'bcftools',
  'tabix',
)('htsvault index', () => {
  for (const { formats, kind, tools } of ways) {
    const files = fixtures.filter(({ format }) => formats.includes(format))
    const tooLong = files.filter(({ index }) => index === 'csi' && kind !== 'csi')
    const ours = join(folder, `${formats.join()}-${kind}`)

    describe(`--format ${kind} of ${formats.join()}`, () => {
      let said = { stderr: '', code: -1 }
      beforeAll(async () => {
        mkdirSync(ours)
        for (const { name, path } of files) copyFileSync(path, join(ours, nameOf(name)))
        said = await htsvault('--format', kind, ...files.map(({ name }) => join(ours, nameOf(name))))
      })

      test('makes one of each file but those whose positions are too large for it', () => {
        expect(said.code).toBe(tooLong.length === 0 ? 0 : 1)
        expect(said.stderr.match(/\([A-Z_]+\)/g) ?? []).toEqual(tooLong.map(() => '(POSITION_TOO_LARGE)'))
        expect(readdirSync(ours).filter(name => name.endsWith(`.${kind}`))).toHaveLength(
          files.length - tooLong.length,
        )
      })

      for (const [i, [tool, ...flags]] of tools.entries()) {
        // tabix goes by the name of a file, we by its content.
        const read = files.filter(({ name }) => tool !== 'tabix' || !name.startsWith('misnamed/'))
        test.each(read)(`that of $name is what ${tool} ${flags.join(' ')} makes`, async ({ name, path }) => {
          const theirs = join(folder, `${formats.join()}-${kind}-${i}`)
          mkdirSync(theirs, { recursive: true })
          const file = join(theirs, nameOf(name))
          copyFileSync(path, file)
          const { code } = await run(tool!, [...flags, file])
          const index = `${nameOf(name)}.${kind}`
          expect(existsSync(join(ours, index))).toBe(code === 0)
          if (code !== 0) return
          expect(contentOf(join(ours, index)).equals(contentOf(join(theirs, index)))).toBe(true)
        })
      }
    })
  }

  test('gives an index the name that the tools give it', async () => {
    const [ours, theirs] = ['ours', 'theirs'].map(name => join(folder, name))
    const files: string[] = []
    for (const to of [ours!, theirs!]) {
      mkdirSync(to)
      for (const name of ['bam/pairs.bam', 'cram/pairs-3.0.cram', 'vcf/sites.vcf.gz', 'bcf/sites.bcf']) {
        const { path } = fixtures.find(each => each.name === name)!
        copyFileSync(path, join(to, basename(path)))
        files.push(join(to, basename(path)))
      }
    }
    expect(await htsvault(...files.slice(0, 4))).toMatchObject({ stderr: '', code: 0 })
    const [bam, cram, vcf, bcf] = files.slice(4) as [string, string, string, string]
    await output('samtools', ['index', bam])
    await output('samtools', ['index', cram])
    await output('tabix', ['-p', 'vcf', vcf])
    await output('bcftools', ['index', bcf])
    expect(readdirSync(ours!)).toEqual(readdirSync(theirs!))
    expect(readdirSync(ours!)).toHaveLength(8)
  })
})
