import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { LocalServer } from '#shared/local/httpServer.ts'
import { output, requireTools, sharedData, temporaryFolder } from '#test/support/interop.ts'
import { filledVault, serveVault, type FilledVault } from '#test/support/servedVault.ts'

const demo = (name: string) => join(import.meta.dirname, '..', '..', 'demo', name)

let vault: FilledVault
let server: LocalServer
beforeAll(async () => {
  const bam = sharedData('reads/htsnexus_test_NA12878.bam') ?? demo('child.bam')
  const cram = sharedData('reads/htsnexus_test_NA12878.cram') ?? demo('child.cram')
  const vcf = sharedData('variants/spec-v4.3.vcf.gz') ?? demo('trio.vcf.gz')
  const bcf = sharedData('variants/spec-v4.3.bcf') ?? demo('trio.bcf')
  vault = await filledVault({
    'demo/child.bam': demo('child.bam'),
    'demo/child.cram': demo('child.cram'),
    'demo/trio.vcf.gz': demo('trio.vcf.gz'),
    'ga4gh/htsnexus_test_NA12878.bam': bam,
    'ga4gh/htsnexus_test_NA12878.cram': cram,
    'ga4gh/spec-v4.3.vcf.gz': vcf,
    'ga4gh/spec-v4.3.bcf': bcf,
  })
  server = await serveVault(vault.ports)
})
afterAll(async () => {
  await server.close(0)
  vault.remove()
})

const python = async (script: string, ...args: string[]) =>
  JSON.parse((await output('python3', ['-c', script, ...args])).toString()) as unknown

requireTools('python:pysam')('pysam', () => {
  test('reads the records of a region from a ticket', async () => {
    const url = `${server.url}/reads/demo/child?referenceName=chr1&start=10000&end=20000`
    const got = await python(
      `import json, pysam, sys
print(json.dumps([[(r.query_name, r.reference_start) for r in pysam.AlignmentFile(path, check_sq=False)
  if r.reference_id == 0 and r.reference_start < 20000 and (r.reference_end or r.reference_start + 1) > 10000]
  for path in sys.argv[1:]]))`,
      url,
      `${url}&format=CRAM`,
      demo('child.bam'),
    )
    const [bam, cram, original] = got as [unknown[], unknown[], unknown[]]
    expect(original.length).toBeGreaterThan(20)
    expect(bam).toEqual(original)
    expect(cram).toEqual(original)
  })

  test('reads variants from a ticket', async () => {
    const got = await python(
      `import json, pysam, sys
print(json.dumps([[(r.chrom, r.pos) for r in pysam.VariantFile(path) if r.chrom == 'chr2'] for path in sys.argv[1:]]))`,
      `${server.url}/variants/demo/trio?referenceName=chr2`,
      demo('trio.vcf.gz'),
    )
    const [ticket, original] = got as [unknown[], unknown[]]
    expect(original.length).toBeGreaterThan(20)
    expect(ticket).toEqual(original)
  })
})

requireTools('python:htsget', 'samtools')("GA4GH's Python client", () => {
  const folder = temporaryFolder()

  const client = ['-c', 'import sys; from htsget.cli import htsget_main; sys.exit(htsget_main())']

  test('downloads a file byte for byte, and a region that samtools reads', async () => {
    const whole = join(folder, 'whole.bam')
    await output('python3', [...client, '-O', whole, `${server.url}/reads/demo/child`])
    expect(readFileSync(whole).equals(readFileSync(demo('child.bam')))).toBe(true)
    const part = join(folder, 'part.bam')
    await output('python3', [...client, '-f', 'BAM', '-r', 'chr1', '-s', '10000', '-e', '20000', '-O', part, `${server.url}/reads/demo/child`]) // prettier-ignore
    await output('samtools', ['quickcheck', '-v', part])
    const region = ['view', '-c', '-e', 'rname=="chr1" && pos<=20000 && endpos>10000']
    const [got, expected] = await Promise.all([part, demo('child.bam')].map(path => output('samtools', [...region, path]))) // prettier-ignore
    expect(got!.toString()).toBe(expected!.toString())
  })
})

/** What a client that knows nothing but the specification does with a URL: the bytes of its ticket. */
async function follow(path: string): Promise<{ format: string; bytes: Buffer; ticket: Response }> {
  const ticket = await fetch(server.url + path)
  expect(ticket.status).toBe(200)
  const { htsget } = (await ticket.json()) as {
    htsget: { format: string; urls: { url: string; headers?: Record<string, string> }[] }
  }
  const parts: Buffer[] = []
  for (const { url, headers = {} } of htsget.urls) {
    // sda-cli and the compliance suite: this very prefix, or a URL that answers 200.
    const inline = /^data:;base64,(.*)$/s.exec(url)?.[1]
    if (inline !== undefined) {
      parts.push(Buffer.from(inline, 'base64'))
      continue
    }
    const reply = await fetch(url, { headers })
    expect(reply.status).toBe(200)
    parts.push(Buffer.from(await reply.arrayBuffer()))
  }
  return { format: htsget.format, bytes: Buffer.concat(parts), ticket }
}

describe("the requests of GA4GH's compliance suite that ask for plain data", () => {
  test.each([
    ['/reads/ga4gh/htsnexus_test_NA12878', 'BAM', 'reads/htsnexus_test_NA12878.bam', 'child.bam'],
    ['/reads/ga4gh/htsnexus_test_NA12878?format=BAM', 'BAM', 'reads/htsnexus_test_NA12878.bam', 'child.bam'],
    [
      '/reads/ga4gh/htsnexus_test_NA12878?format=CRAM',
      'CRAM',
      'reads/htsnexus_test_NA12878.cram',
      'child.cram',
    ],
    ['/variants/ga4gh/spec-v4.3', 'VCF', 'variants/spec-v4.3.vcf.gz', 'trio.vcf.gz'],
    ['/variants/ga4gh/spec-v4.3?format=VCF', 'VCF', 'variants/spec-v4.3.vcf.gz', 'trio.vcf.gz'],
    ['/variants/ga4gh/spec-v4.3?format=BCF', 'BCF', 'variants/spec-v4.3.bcf', 'trio.bcf'],
  ])('%s', async (path, format, shared, stand) => {
    const { bytes, ...reply } = await follow(path)
    expect(reply.format).toBe(format)
    expect(reply.ticket.headers.get('content-type')).toMatch(
      /^application\/vnd\.ga4gh\.htsget\.v1\.\d\.0\+json/,
    )
    expect(bytes.equals(readFileSync(sharedData(shared) ?? demo(stand)))).toBe(true)
  })
})

describe('the URL forms of other clients', () => {
  test('MODOs: the path of a dataset, format, referenceName, start and end', async () => {
    const { format, bytes } = await follow(
      '/reads/demo/child?format=CRAM&referenceName=chr1&start=10000&end=20000',
    )
    expect([format, bytes.subarray(0, 4).toString()]).toEqual(['CRAM', 'CRAM'])
    const all = await follow('/reads/demo/child?format=CRAM')
    expect(all.bytes.equals(readFileSync(demo('child.cram')))).toBe(true)
  })

  test('samtools and bcftools write regions with an upper-case format and an Accept of their version', async () => {
    const headers = { Accept: 'application/vnd.ga4gh.htsget.v1.2.0+json', 'User-Agent': 'htslib/1.16' }
    const reply = await fetch(`${server.url}/reads/demo/child?format=BAM&referenceName=chr1&start=0`, {
      headers,
    })
    expect(reply.status).toBe(200)
  })
})
