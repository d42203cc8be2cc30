import {
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { BamIndexer } from '#shared/indexes/BamIndexer.ts'
import { fixtures } from '#test/fixtures/index.ts'
import { indexInChunks } from '#test/support/indexing.ts'
import { run, temporaryFolder } from '#test/support/interop.ts'

const entry = join(import.meta.dirname, '..', '..', 'cli', 'htsvault.js')
const base = temporaryFolder()
let folder = ''
let tests = 0

const fixture = (name: string) => fixtures.find(each => each.name === name)!.path
const read = (name: string) => readFileSync(join(folder, name))
const index = (...args: string[]) => run(process.execPath, [entry, 'index', ...args], { cwd: folder })
const done = { stderr: '', stdout: Buffer.alloc(0), code: 0 }

const bam = readFileSync(fixture('bam/pairs.bam'))
const bai = Buffer.from(indexInChunks(new BamIndexer(), bam).index.bytes)

beforeEach(() => {
  folder = join(base, String(++tests))
  mkdirSync(folder)
  writeFileSync(join(folder, 'x.bam'), bam)
})

describe('where the index goes', () => {
  test('beside the file, over an old one, and nothing else is left', async () => {
    writeFileSync(join(folder, 'x.bam.bai'), 'old')
    expect(await index('x.bam')).toEqual(done)
    expect(readdirSync(folder)).toEqual(['x.bam', 'x.bam.bai'])
    expect(read('x.bam.bai')).toEqual(bai)
  })

  test('where -o says; a link there stays, and leads to it', async () => {
    symlinkSync('target.bai', join(folder, 'link.bai'))
    writeFileSync(join(folder, 'target.bai'), 'old')
    expect(await index('x.bam', '-o', 'link.bai')).toEqual(done)
    expect(lstatSync(join(folder, 'link.bai')).isSymbolicLink()).toBe(true)
    expect(read('target.bai')).toEqual(bai)
  })

  test('a pipe in, a pipe out, and /dev/null, which stays what it is', async () => {
    const piped = await run(
      'sh',
      ['-c', 'cat x.bam | "$0" "$1" index /dev/stdin -o /dev/stdout | cat', process.execPath, entry],
      { cwd: folder },
    )
    expect(piped).toEqual({ ...done, stdout: bai })
    expect(await index('x.bam', '-o', '/dev/null')).toEqual(done)
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true)
    const nameless = await run(
      'sh',
      ['-c', 'cat x.bam | "$0" "$1" index /dev/stdin', process.execPath, entry],
      {
        cwd: folder,
      },
    )
    expect([nameless.code, nameless.stderr]).toEqual([1, expect.stringContaining('(OUTPUT_NAME_UNKNOWN)')])
  })

  test.each([
    ['the file itself', './x.bam', 'OUTPUT_EXISTS'],
    ['a folder', '.', 'OUTPUT_EXISTS'],
    ['a folder that is not there', 'none/x.bai', 'FILE_NOT_FOUND'],
  ])('not %s', async (_what, to, code) => {
    const said = await index('x.bam', '-o', to)
    expect([said.code, said.stderr]).toEqual([1, expect.stringContaining(`(${code})`)])
    expect(readdirSync(folder)).toEqual(['x.bam'])
    expect(read('x.bam')).toEqual(bam)
  })
})

describe('several files', () => {
  test('one that has no index is told of, with its name; its old index stays, the others get theirs', async () => {
    writeFileSync(join(folder, 'cut.bam'), bam.subarray(0, 30_000))
    writeFileSync(join(folder, 'cut.bam.bai'), 'old')
    copyFileSync(fixture('bcf/sites.bcf'), join(folder, 'y.bcf'))
    const { code, stderr, stdout } = await index('cut.bam', 'none.bam', 'y.bcf', 'x.bam')
    expect([code, stdout.length]).toEqual([1, 0])
    expect(stderr).toMatch(/^htsvault: cut\.bam, .*\(BGZF_TRUNCATED\)$/m)
    expect(stderr).toContain('htsvault: none.bam: there is no such file (FILE_NOT_FOUND)')
    expect(readdirSync(folder)).toEqual([
      'cut.bam',
      'cut.bam.bai',
      'x.bam',
      'x.bam.bai',
      'y.bcf',
      'y.bcf.csi',
    ])
    expect(read('cut.bam.bai').toString()).toBe('old')
    expect(read('x.bam.bai')).toEqual(bai)
  })

  test('--format goes for each that can have it', async () => {
    copyFileSync(fixture('cram/pairs-3.0.cram'), join(folder, 'y.cram'))
    const { code, stderr } = await index('--format', 'csi', 'y.cram', 'x.bam')
    expect(code).toBe(1)
    expect(stderr).toBe(
      'htsvault: y.cram: a CRAM file has no CSI index (INDEX_KIND_UNFIT)\n' +
        'Give --format crai, or leave --format out.\n',
    )
    expect(readdirSync(folder)).toEqual(['x.bam', 'x.bam.csi', 'y.cram'])
  })
})

describe('several threads', () => {
  test.each([
    ['bam/pairs-odd-blocks.bam', 'csi', 2],
    ['cram/many-references-3.0.cram', 'crai', 3],
    ['vcf/undeclared-contigs.vcf.gz', 'tbi', 2],
    ['bcf/many-contigs.bcf', 'csi', 5],
  ])('%s: the same %s by %i', async (name, kind, threads) => {
    copyFileSync(fixture(name), join(folder, 'y'))
    expect(await index('--threads', '1', '--format', kind, 'y', '-o', 'one')).toEqual(done)
    expect(await index('--threads', String(threads), '--format', kind, 'y')).toEqual(done)
    expect(read(`y.${kind}`)).toEqual(read('one'))
  })

  test('what is wrong with a file is said as by one, and ends them', async () => {
    writeFileSync(join(folder, 'cut.bam'), bam.subarray(0, 30_000))
    const one = await index('--threads', '1', 'cut.bam')
    expect(one.code).toBe(1)
    expect(await index('--threads', '4', 'cut.bam')).toEqual(one)
  })

  test('a pipe is read by one', async () => {
    const piped = await run(
      'sh',
      [
        '-c',
        'cat x.bam | "$0" "$1" index --threads 3 /dev/stdin -o /dev/stdout | cat',
        process.execPath,
        entry,
      ],
      { cwd: folder },
    )
    expect(piped).toEqual({ ...done, stdout: bai })
  })
})

test.each([
  [['x.bam', 'x.bam', '-o', 'z']],
  [['--format', 'gzi', 'x.bam']],
  [[]],
  [['--threads', '0', 'x.bam']],
])('wrong usage: %j', async args => {
  const { code, stderr } = await index(...args)
  expect([code, stderr]).toEqual([2, expect.stringContaining('error: ')])
  expect(readdirSync(folder)).toEqual(['x.bam'])
})
