import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'
import type { Inspection } from '#cli/c4gh/inspect.ts'
import { cipherSize } from '#shared/crypt4gh/sizes.ts'
import { run as runProgram, type RunOptions, temporaryFolder } from '../support/interop.ts'

const entry = join(import.meta.dirname, 'commandEntry.ts')
const folder = temporaryFolder()
const path = (...names: string[]) => join(folder, ...names)
const read = (...names: string[]) => readFileSync(path(...names))
const c4gh = (args: string[], options: RunOptions = {}) =>
  runProgram(process.execPath, [entry, ...args], {
    cwd: folder,
    ...options,
    env: { C4GH_PASSPHRASE: undefined, C4GH_SECRET_KEY: undefined, ...options.env },
  })
const ok = async (args: string[], options?: RunOptions) => {
  const { stdout, stderr, code } = await c4gh(args, options)
  expect([stderr, code]).toEqual(['', 0])
  return stdout
}
const plain = randomBytes(9_500_000)

beforeAll(async () => {
  for (const name of ['alice', 'bob'])
    await c4gh(['keygen', '--sk', `${name}.sec`, '--pk', `${name}.pub`, '--nocrypt', '-C', name])
  writeFileSync(path('x.cram'), plain)
  writeFileSync(path('x.cram.crai'), 'an index')
})

describe('keygen', () => {
  test('makes a private key that only its owner can read, locked by the passphrase at hand', async () => {
    const { code } = await c4gh(['keygen', '--sk', 'c.sec', '--pk', 'c.pub'], {
      env: { C4GH_PASSPHRASE: 'xyz' },
    })
    expect(code).toBe(0)
    expect(statSync(path('c.sec')).mode & 0o777).toBe(0o600)
    expect(read('c.sec').toString()).toContain('ENCRYPTED')
    writeFileSync(path('pass'), 'xyz\nsecond line')
    const file = await ok(['encrypt', '-p', 'c.pub'], { input: 'hello' })
    const ways: [string[], RunOptions][] = [
      [[], { env: { C4GH_PASSPHRASE: 'xyz' } }],
      [['--passphrase-file', 'pass'], {}],
      [[], { env: { C4GH_SECRET_KEY: path('c.sec'), C4GH_PASSPHRASE: 'xyz' } }],
    ]
    for (const [args, options] of ways) {
      const key = options.env?.['C4GH_SECRET_KEY'] === undefined ? ['-s', 'c.sec'] : []
      expect((await ok(['decrypt', ...key, ...args], { ...options, input: file })).toString()).toBe('hello')
    }
    const wrong = await c4gh(['decrypt', '-s', 'c.sec'], { input: file, env: { C4GH_PASSPHRASE: 'abc' } })
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('KEY_WRONG_PASSPHRASE')])
  })

  test('overwrites no key', async () => {
    const before = read('alice.sec')
    const { code, stderr } = await c4gh(['keygen', '--sk', 'alice.sec', '--pk', 'new.pub', '--nocrypt'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('OUTPUT_EXISTS')])
    expect(read('alice.sec').equals(before)).toBe(true)
    expect(existsSync(path('new.pub'))).toBe(false)
  })
})

describe('from standard input to standard output', () => {
  test('encrypt, decrypt, ranges, a header apart', async () => {
    const file = await ok(['encrypt', '-p', 'alice.pub', '-p', 'bob.pub'], { input: plain })
    for (const key of ['alice.sec', 'bob.sec'])
      expect(plain.equals(await ok(['decrypt', '-s', key], { input: file }))).toBe(true)
    const part = await ok(['decrypt', '-s', 'bob.sec', '--range', '65530-65540'], { input: file })
    expect(part.equals(plain.subarray(65530, 65540))).toBe(true)
    const body = await ok(['encrypt', '-p', 'alice.pub', '--header', 'apart'], { input: 'text' })
    expect(read('apart').length).toBe(124)
    const joined = await ok(['decrypt', '-s', 'alice.sec', '--header', 'apart'], { input: body })
    expect(joined.toString()).toBe('text')
  })

  test('re-encrypt and rearrange', async () => {
    const file = await ok(['encrypt', '-p', 'alice.pub'], { input: plain })
    const forBob = await ok(['reencrypt', '-s', 'alice.sec', '-p', 'bob.pub'], { input: file })
    expect(forBob.subarray(124).equals(file.subarray(124))).toBe(true)
    expect((await c4gh(['decrypt', '-s', 'alice.sec'], { input: forBob })).stderr).toContain(
      'CRYPT4GH_WRONG_KEY',
    )
    const args = ['rearrange', '-s', 'bob.sec', '--range', '10-100000', '--range', '9400000']
    const part = await ok(args, { input: forBob })
    expect(part.length).toBeLessThan(5 * 65564)
    const expected = Buffer.concat([plain.subarray(10, 100_000), plain.subarray(9_400_000)])
    expect((await ok(['decrypt', '-s', 'bob.sec'], { input: part })).equals(expected)).toBe(true)
    writeFileSync(path('bob.c4gh'), forBob)
    await ok([...args, '-o', 'part.c4gh', 'bob.c4gh'])
    expect((await ok(['decrypt', '-s', 'bob.sec'], { input: read('part.c4gh') })).equals(expected)).toBe(true)
  })

  test.each([
    ['empty input', Buffer.alloc(0), 'NOT_CRYPT4GH'],
    ['another file', Buffer.from('BAM\x01 and so on and on'), 'NOT_CRYPT4GH'],
    ['the magic alone', Buffer.from('crypt4gh'), 'CRYPT4GH_TRUNCATED'],
  ])('decrypting %s', async (_, input, code) => {
    const result = await c4gh(['decrypt', '-s', 'alice.sec'], { input })
    expect([result.code, result.stderr]).toEqual([1, expect.stringContaining(code)])
  })
})

describe('files and folders', () => {
  test.each(['1', '2', '5'])('a file with its index, by %s threads', async threads => {
    mkdirSync(path(`t${threads}`))
    await ok(['encrypt', '-p', 'alice.pub', '--threads', threads, '--output-dir', `t${threads}`, 'x.cram'])
    expect(readdirSync(path(`t${threads}`)).sort()).toEqual(['x.cram.c4gh', 'x.cram.crai.c4gh'])
    await ok(['decrypt', '-s', 'alice.sec', '--threads', threads, path(`t${threads}`, 'x.cram.c4gh')])
    expect(read(`t${threads}`, 'x.cram').equals(plain)).toBe(true)
    expect(read(`t${threads}`, 'x.cram.crai').toString()).toBe('an index')
    expect(
      (await ok(['decrypt', '-s', 'alice.sec'], { input: read(`t${threads}`, 'x.cram.c4gh') })).equals(plain),
    ).toBe(true)
  })

  test('a folder there and back: originals go only with --delete, other files stay', async () => {
    mkdirSync(path('study', 'deep'), { recursive: true })
    const files = { 'a.bam': 'A', 'a.bam.bai': 'B', 'deep/b.vcf.gz': 'C', 'deep/b.vcf.gz.tbi': '' }
    for (const [name, text] of Object.entries(files)) writeFileSync(path('study', name), text)
    writeFileSync(path('study', 'notes.txt'), 'N')
    await ok(['encrypt', '-p', 'alice.pub', 'study'])
    expect(readdirSync(path('study'))).toContain('a.bam')
    await ok(['encrypt', '-p', 'alice.pub', '--force', '--delete', 'study'])
    expect(readdirSync(path('study'), { recursive: true }).map(String).sort()).toEqual(
      [
        'a.bam.bai.c4gh',
        'a.bam.c4gh',
        'deep',
        'deep/b.vcf.gz.c4gh',
        'deep/b.vcf.gz.tbi.c4gh',
        'notes.txt',
      ].sort(),
    )
    await ok(['decrypt', '-s', 'alice.sec', '--delete', 'study'])
    for (const [name, text] of Object.entries(files)) expect(read('study', name).toString()).toBe(text)
    expect(existsSync(path('study', 'a.bam.c4gh'))).toBe(false)
  })

  test('nothing is overwritten without --force, and that is said before any work', async () => {
    mkdirSync(path('once'))
    for (const name of ['a.bam', 'b.bam', 'b.bam.c4gh']) writeFileSync(path('once', name), name)
    const { code, stderr } = await c4gh(['encrypt', '-p', 'alice.pub', 'once'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('OUTPUT_EXISTS')])
    expect(read('once', 'b.bam.c4gh').toString()).toBe('b.bam.c4gh')
    expect(existsSync(path('once', 'a.bam.c4gh'))).toBe(false)
  })

  test('a corrupt file is told of, leaves nothing half, keeps its original; the others are done', async () => {
    mkdirSync(path('bad'))
    for (const name of ['a.bam', 'b.bam']) writeFileSync(path('bad', name), plain)
    await ok(['encrypt', '-p', 'alice.pub', '--delete', 'bad'])
    const broken = read('bad', 'a.bam.c4gh')
    broken[124 + 100 * 65564 + 77]! ^= 1
    writeFileSync(path('bad', 'a.bam.c4gh'), broken)
    const { code, stderr } = await c4gh(['decrypt', '-s', 'alice.sec', '--delete', 'bad'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/a\.bam\.c4gh, segment 100: .*\(CRYPT4GH_SEGMENT_CORRUPT\)/)
    expect(readdirSync(path('bad')).sort()).toEqual(['a.bam.c4gh', 'b.bam'])
  })

  test('an interrupted run leaves no half file', async () => {
    mkdirSync(path('cut'))
    writeFileSync(path('cut', 'big.bam'), '')
    truncateSync(path('cut', 'big.bam'), 400 << 20)
    const child = spawn(process.execPath, [entry, 'encrypt', '-p', 'alice.pub', 'cut'], { cwd: folder })
    while (readdirSync(path('cut')).length < 2 && child.exitCode === null)
      await new Promise(resolve => setTimeout(resolve, 2))
    child.kill('SIGTERM')
    const code = await new Promise(resolve => child.on('close', resolve))
    expect([0, 143]).toContain(code)
    // Stopped, or done before the signal came: nothing in between.
    const [input, output, ...more] = readdirSync(path('cut')).sort()
    expect([input, more]).toEqual(['big.bam', []])
    if (output !== undefined) expect(statSync(path('cut', output)).size).toBe(124 + cipherSize(400 << 20))
    else expect(code).toBe(143)
  })

  test('re-encrypting replaces files only with --force', async () => {
    writeFileSync(path('r.c4gh'), await ok(['encrypt', '-p', 'alice.pub'], { input: 'text' }))
    const args = ['reencrypt', '-s', 'alice.sec', '-p', 'bob.pub', 'r.c4gh']
    expect((await c4gh(args)).code).toBe(1)
    await ok([...args, '--force'])
    expect((await ok(['decrypt', '-s', 'bob.sec'], { input: read('r.c4gh') })).toString()).toBe('text')
  })

  test('what is encrypted already is not encrypted again', async () => {
    writeFileSync(path('again.bam'), await ok(['encrypt', '-p', 'alice.pub'], { input: 'text' }))
    expect((await c4gh(['encrypt', '-p', 'bob.pub', 'again.bam'])).stderr).toContain('ALREADY_ENCRYPTED')
  })
})

describe('inspect', () => {
  test('tells what anyone can see, and with a key more; never a secret', async () => {
    const file = await ok(['encrypt', '-p', 'alice.pub', '-p', 'bob.pub'], { input: plain })
    const part = await ok(['rearrange', '-s', 'alice.sec', '--range', '5-10'], { input: file })
    writeFileSync(path('i.c4gh'), part)
    const [anyone, alice] = await Promise.all(
      [[], ['-s', 'alice.sec']].map(async key => {
        const text = (await ok(['inspect', '--json', ...key, 'i.c4gh'])).toString()
        return JSON.parse(text) as Inspection
      }),
    )
    expect(anyone!.packets.map(({ holds }) => holds)).toEqual([undefined, undefined])
    expect(alice!.packets.map(({ holds }) => holds)).toEqual(['data key', 'edit list'])
    expect(alice!.packets[1]!.editList).toEqual([5, 5])
    expect([alice!.plainBytes, alice!.editedBytes]).toEqual([65536, 5])
    const words = (await ok(['inspect', '-s', 'alice.sec', 'i.c4gh'])).toString()
    const secret = Buffer.from(read('alice.sec').toString().split('\n')[1]!, 'base64').subarray(19, 51)
    for (const encoding of ['hex', 'base64'] as const)
      expect(words).not.toContain(secret.toString(encoding).slice(0, 40))
  })
})

test.each([[['encrypt']], [['decrypt', '--range', '9-3']], [['decrypt', '--threads', '0']], [['fly']]])(
  'wrong usage, %j, ends with 2',
  async args => {
    expect((await c4gh(args)).code).toBe(2)
  },
)
