import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import {
  describeWithData,
  output,
  requireTools,
  run,
  sharedData,
  temporaryFolder,
  toolPath,
} from '#test/support/interop.ts'

const tools = [
  'openssl',
  'chromium',
  'crypt4gh',
  'moto_server',
  'python:moto',
  'localstack-supervisor',
  'htsget',
  'python:pysam',
]

describe.each(tools)('%s', tool => {
  requireTools(tool)('as this layer needs it', () => {
    test('is on PATH', () => {
      expect(toolPath(tool)).toMatch(/^\//)
    })
  })
})

const folder = temporaryFolder()

requireTools(
  'samtools',
  'bcftools',
  'tabix',
  'bgzip',
)('htslib', () => {
  test.each(['samtools', 'bcftools', 'tabix', 'bgzip'])('%s is 1.16 or newer', async tool => {
    const [, major, minor] = /(\d+)\.(\d+)/.exec((await output(tool, ['--version'])).toString())!
    expect(Number(major) * 1000 + Number(minor)).toBeGreaterThanOrEqual(1016)
  })

  test('samtools never asks the network for a reference', async () => {
    const sam = `@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:r\tLN:8\tM5:00000000000000000000000000000000\nq\t0\tr\t1\t9\t8M\t*\t0\t0\tACGTACGT\t*\n`
    await writeFile(join(folder, 'r.fa'), '>r\nACGTACGT\n')
    const cram = join(folder, 'r.cram')
    const wrote = await run('samtools', ['view', '-C', '-T', join(folder, 'r.fa'), '-o', cram, '-'], {
      input: sam,
    })
    expect(wrote.code).toBe(0)
    await writeFile(join(folder, 'r.fa'), '')
    const read = await run('samtools', ['view', cram], { timeLimit: 20_000 })
    expect(read.code).not.toBe(0)
    expect(read.stderr).not.toMatch(/https?:|ebi\.ac\.uk/)
  })
})

describeWithData(
  'reads',
  'variants',
  'cram',
  'crypt4gh',
)('the shared test data', () => {
  test('is found by its path', () => {
    expect(existsSync(sharedData('reads/htsnexus_test_NA12878.bam')!)).toBe(true)
  })
})

requireTools('sh')('run', () => {
  test('gives what a program wrote and its exit code', async () => {
    const { stdout, stderr, code } = await run('sh', ['-c', 'cat; echo err >&2; exit 3'], { input: 'in' })
    expect({ stdout: stdout.toString(), stderr, code }).toEqual({ stdout: 'in', stderr: 'err\n', code: 3 })
  })

  test('ends a program that does not end by itself', async () => {
    await expect(run('sleep', ['600'], { timeLimit: 200 })).rejects.toThrow('SIGKILL')
  })

  test('a tool that is nowhere is not found', () => {
    expect(toolPath('no-such-tool-of-htsvault')).toBeUndefined()
    expect(toolPath('python:no_such_module_of_htsvault')).toBeUndefined()
  })
})
