import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { FaultyFile, SoundFile } from '#cli/check/checkFile.ts'
import { writeBgzf } from '#shared/bgzf/writeBgzf.ts'
import { formatVirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { createFileIndexer } from '#shared/indexes/createFileIndexer.ts'
import { fixtures, refusedFixtures } from '#test/fixtures/index.ts'
import { indexInChunks } from '#test/support/indexing.ts'
import { run, temporaryFolder } from '#test/support/interop.ts'

const entry = join(import.meta.dirname, '..', '..', 'cli', 'htsvault.js')
const folder = temporaryFolder()
const check = async (...args: string[]) => {
  const { stdout, ...rest } = await run(process.execPath, [entry, 'check', ...args], { cwd: folder })
  return { stdout: stdout.toString(), ...rest }
}
const parse = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as SoundFile | FaultyFile)
const pathOf = (name: string) => fixtures.find(each => each.name === name)!.path

/** What the report of a sound file is to say. */
function reportOf(path: string): SoundFile {
  const bytes = readFileSync(path)
  const { format, formatVersion, references, records, unplacedRecords, headerEnd, index } = indexInChunks(
    createFileIndexer(),
    bytes,
  )
  const digest = (name: string) => createHash(name).update(bytes).digest('hex')
  return {
    file: path,
    sound: true,
    format,
    formatVersion,
    references,
    records,
    unplacedRecords,
    sortOrder: 'coordinate',
    headerEnd: formatVirtualOffset(headerEnd).replace(format === 'CRAM' ? /:0$/ : '', ''),
    size: bytes.length,
    sha256: digest('sha256'),
    md5: digest('md5'),
    index: { kind: index.kind, size: index.bytes.length },
  }
}

describe('--json', () => {
  test('every file that the vault takes is sound', async () => {
    const { stdout, stderr, code } = await check('--json', ...fixtures.map(({ path }) => path))
    expect([stderr, code]).toEqual(['', 0])
    expect(parse(stdout)).toEqual(fixtures.map(({ path }) => reportOf(path)))
  })

  test('every file that it refuses is not, with the code and the file', async () => {
    const { stdout, stderr, code } = await check('--json', ...refusedFixtures.map(({ path }) => path))
    expect([stderr, code]).toEqual(['', 1])
    expect(parse(stdout)).toMatchObject(
      refusedFixtures.map(({ path, code }) => ({
        file: path,
        sound: false,
        error: { code, place: { file: path } },
      })),
    )
  })

  test('a file long enough for a thread of its own, whole and damaged', async () => {
    const header = '##fileformat=VCFv4.2\n##contig=<ID=a>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n'
    const lines = Array.from(
      { length: 250 },
      (_, i) => `a\t${i + 1}\t${randomBytes(36_000).toString('base64')}\tA\tC\t.\t.\t.\n`,
    )
    const bytes = writeBgzf(Buffer.from(header + lines.join('')))
    expect(bytes.length).toBeGreaterThan(8 << 20)
    const paths = ['whole', 'damaged'].map(name => join(folder, `${name}.vcf.gz`)) as [string, string]
    writeFileSync(paths[0], bytes)
    bytes[7_000_000]! ^= 1
    writeFileSync(paths[1], bytes)
    const { stdout, code } = await check('--json', ...paths)
    expect(code).toBe(1)
    const [whole, damaged] = parse(stdout)
    expect(whole).toEqual(reportOf(paths[0]))
    expect(damaged).toMatchObject({ sound: false, error: { code: expect.stringMatching(/^BGZF_/) } })
  })
})

describe('for people', () => {
  test('what is in a file, what is wrong with another, what is not there; then the next', async () => {
    const cut = readFileSync(pathOf('bam/pairs.bam')).subarray(0, 30_000)
    writeFileSync(join(folder, 'cut.bam'), cut)
    const vcf = pathOf('vcf/sites.vcf.gz')
    const { sha256, md5 } = reportOf(vcf)
    const { stdout, stderr, code } = await check('cut.bam', 'none.bam', vcf)
    expect([stderr, code]).toEqual(['', 1])
    expect(stdout).toMatch(
      /^cut\.bam: not sound\n {2}what {8}[^\n]+ \(BGZF_TRUNCATED\)\n {2}where {7}[^\n]*byte \d+[^\n]*\n {2}to do {7}[^\n]+\nnone\.bam: not sound\n/,
    )
    expect(stdout.slice(stdout.indexOf('none.bam'))).toBe(`none.bam: not sound
  what        there is no such file (FILE_NOT_FOUND)
${vcf}: sound
  format      VCF 4.2
  references  3, 4,901,000 bases
  records     1,500
  sort order  coordinate
  header end  virtual offset 0:879
  size        27,192 bytes
  sha256      ${sha256}
  md5         ${md5}
  index       tbi, 1,119 bytes
`)
  })

  test('of reads, how many have no place; of CRAM, the byte where the header ends', async () => {
    const { stdout, code } = await check(pathOf('cram/pairs-3.0.cram'))
    expect(code).toBe(0)
    expect(stdout).toContain('\n  unplaced    18\n')
    expect(stdout).toMatch(/\n {2}header end {2}byte \d+\n/)
  })
})

test.each([[[]], [['--yaml', 'x.bam']]])('wrong usage: %j', async args => {
  const { code, stderr } = await check(...args)
  expect([code, stderr]).toEqual([2, expect.stringContaining('error: ')])
})

test('--references holds each file against a dictionary', async () => {
  const bam = join(import.meta.dirname, '..', '..', 'demo', 'child.bam')
  const { references } = reportOf(bam)
  const fai = references.map(({ name, length }) => `${name}\t${length!}\t0\t60\t61`).join('\n')
  writeFileSync(join(folder, 'right.fai'), fai)
  writeFileSync(join(folder, 'wrong.dict'), '@SQ\tSN:1\tLN:5\n')
  expect((await check('--references', 'right.fai', bam)).code).toBe(0)
  const { stdout, code } = await check('--json', '--references', 'wrong.dict', bam)
  expect([code, parse(stdout)[0]]).toMatchObject([1, { sound: false, error: { code: 'REFERENCES_DIFFER' } }])
  expect((await check('--references', 'none.fai', bam)).stderr).toContain('FILE_NOT_FOUND')
})
