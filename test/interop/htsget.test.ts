import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeWithData, requireTools, run, sharedData } from '#test/support/interop.ts'
import { seededRandom } from '#test/support/random.ts'
import { VaultProcess } from '#test/support/VaultProcess.ts'

const demo = (name: string) => join(import.meta.dirname, '..', '..', 'demo', name)

/** Regions of a reference: its ends, nothing, everything, and random ones of many lengths. */
function regionsOf(length: number, seed: number, count: number): [number, number][] {
  const random = seededRandom(seed)
  const regions: [number, number][] = [
    [0, 1],
    [0, length],
    [length - 1, length],
    [length, length + 1000],
  ]
  for (let i = 0; i < count; i++) {
    const size = Math.ceil(length ** random.next())
    const start = random.below(length)
    regions.push([start, start + size])
  }
  return regions
}

/** Counts records by a tool, in the original and through htsget. */
async function count(tool: 'samtools' | 'bcftools', args: string[]): Promise<number> {
  const { stdout, stderr, code } =
    tool === 'samtools'
      ? await run('samtools', ['view', '-c', ...args])
      : await run('bcftools', ['view', '-H', ...args])
  if (code !== 0) throw new Error(`${tool} ${args.join(' ')}: ${stderr}`)
  return tool === 'samtools' ? Number(stdout.toString()) : stdout.toString().split('\n').length - 1
}

const vault = new VaultProcess()
const scratch = mkdtempSync(join(tmpdir(), 'htsvault-originals-'))
afterAll(async () => {
  await vault.remove()
  rmSync(scratch, { recursive: true, force: true })
})

requireTools('samtools', 'bcftools')('real clients on the demonstration files', () => {
  beforeAll(async () => {
    await vault.start()
    await vault.settled('demo/child.bam', 'demo/child.cram', 'demo/trio.vcf.gz', 'demo/trio.bcf')
    for (const name of ['child.bam', 'child.cram', 'trio.vcf.gz', 'trio.bcf'])
      writeFileSync(join(scratch, name), await readFile(demo(name)))
    for (const name of ['child.bam', 'child.cram']) await run('samtools', ['index', join(scratch, name)])
    for (const name of ['trio.vcf.gz', 'trio.bcf']) await run('bcftools', ['index', join(scratch, name)])
  }, 120_000)

  const references = [
    ['chr1', 1_000_000],
    ['chr2', 600_000],
    ['chr3', 250_000],
    ['chrM', 16_569],
  ] as const

  test.each([
    ['child.bam', 'reads/demo/child', 'format=BAM', 'samtools'],
    ['child.cram', 'reads/demo/child', 'format=CRAM', 'samtools'],
    ['trio.vcf.gz', 'variants/demo/trio', 'format=VCF', 'bcftools'],
    ['trio.bcf', 'variants/demo/trio', 'format=BCF', 'bcftools'],
  ] as const)(
    '%s: every region as in the original',
    async (name, id, format, tool) => {
      let compared = 0
      let found = 0
      for (const [i, [reference, length]] of references.entries())
        for (const [start, end] of regionsOf(length, i + 1, 8)) {
          const region = `${reference}:${start + 1}-${end}`
          const url = `${vault.url}/${id}?${format}&referenceName=${reference}&start=${start}&end=${end}`
          const original = join(scratch, name)
          const [expected, got] = await Promise.all(
            tool === 'samtools'
              ? [count(tool, [original, region]), countWithin(url, reference, start, end)]
              : [
                  count(tool, ['-r', region, original]),
                  count(tool, ['-t', region, '--targets-overlap', '1', url]),
                ],
          )
          expect({ region, records: got }).toEqual({ region, records: expected })
          compared++
          found += expected
        }
      expect(compared).toBeGreaterThanOrEqual(48)
      expect(found).toBeGreaterThan(1000)
    },
    120_000,
  )

  /** A ticket covers whole blocks: what the region's own records are among them, samtools says by an expression. */
  async function countWithin(url: string, reference: string, start: number, end: number): Promise<number> {
    return count('samtools', ['-e', `rname=="${reference}" && pos<=${end} && endpos>=${start + 1}`, url])
  }

  test.each([
    ['child.bam', 'reads/demo/child?format=BAM'],
    ['child.cram', 'reads/demo/child?format=CRAM'],
    ['trio.vcf.gz', 'variants/demo/trio?format=VCF'],
    ['trio.bcf', 'variants/demo/trio?format=BCF'],
  ])('%s whole is the original, byte for byte', async (name, path) => {
    expect(Buffer.compare(await download(`${vault.url}/${path}`), await readFile(demo(name)))).toBe(0)
  })

  test('unplaced reads', async () => {
    for (const format of ['BAM', 'CRAM'])
      expect(
        await count('samtools', [
          '-e',
          'rname=="*"',
          `${vault.url}/reads/demo/child?format=${format}&referenceName=*`,
        ]),
      ).toBe(80)
  })
})

/** All the bytes of a ticket's URLs, joined. */
async function download(url: string): Promise<Buffer> {
  const ticket = (await (await fetch(url)).json()) as {
    htsget: { urls: { url: string; headers?: Record<string, string> }[] }
  }
  const parts: Buffer[] = []
  for (const { url, headers } of ticket.htsget.urls) {
    const reply = await fetch(url, headers ? { headers } : {})
    if (!reply.ok) throw new Error(`${reply.status} ${await reply.text()}`)
    parts.push(Buffer.from(await reply.arrayBuffer()))
  }
  return Buffer.concat(parts)
}

describeWithData('reads/htsnexus_test_NA12878.bam', 'reads/htsnexus_test_NA12878.cram')('real reads', () => {
  requireTools('samtools')('of NA12878', () => {
    test.each(['bam', 'cram'])(
      'as %s',
      async ending => {
        const original = sharedData(`reads/htsnexus_test_NA12878.${ending}`)!
        const entry = await vault.upload(`real/NA12878.${ending}`, original)
        expect(entry).toMatchObject({ state: 'served', id: 'real/NA12878' })
        const url = `${vault.url}/reads/real/NA12878?format=${ending.toUpperCase()}`
        expect(await count('samtools', [url])).toBe(39918)
        for (const region of ['11:4999976-5003981', '11:5000000-5000100', '20:4999900-5000000']) {
          const [reference, start, end] = region.split(/[:-]/) as [string, string, string]
          const filter = `rname=="${reference}" && pos<=${end} && endpos>=${start}`
          const got = await count('samtools', [
            '-e',
            filter,
            `${url}&referenceName=${reference}&start=${Number(start) - 1}&end=${end}`,
          ])
          expect({ region, got }).toEqual({ region, got: await count('samtools', ['-e', filter, original]) })
        }
      },
      120_000,
    )
  })
})
