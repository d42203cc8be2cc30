import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { breaches, chosen, columnRequests, nameOf } from '#test/support/columnRequests.ts'
import { output, requireTools } from '#test/support/interop.ts'
import { VaultProcess } from '#test/support/VaultProcess.ts'

jest.setTimeout(300_000)

const demo = (name: string) => join(import.meta.dirname, '..', '..', 'demo', name)
const vault = new VaultProcess()
afterAll(() => vault.remove())

const lines = async (path: string, ...args: string[]): Promise<string[]> =>
  (await output('samtools', ['view', '--no-PG', ...args, path]))
    .toString('latin1')
    .split('\n')
    .filter(Boolean)

requireTools('samtools')('fields, tags and notags through the running server', () => {
  beforeAll(async () => {
    await vault.start()
    await vault.settled('demo/child.bam', 'demo/child.cram')
  }, 120_000)

  const files = [
    ['BAM', 'child.bam'],
    ['CRAM', 'child.cram'],
  ] as const

  test.each(files)('%s: what was asked for is the original’s, by samtools', async (format, name) => {
    const original = await lines(demo(name))
    const within = ['-e', 'rname=="chr2" && pos<=250000 && endpos>=100001']
    const part = await lines(demo(name), ...within)
    expect(part.length).toBeGreaterThan(100)
    for (const request of columnRequests) {
      const url = `${vault.url}/reads/demo/child?format=${format}&${nameOf(request)}`
      const columns = chosen(request)
      const whole = breaches(original, await lines(url), columns)
      const region = `${url}&referenceName=chr2&start=100000&end=250000`
      const some = breaches(part, await lines(region, ...within), columns)
      expect([nameOf(request), ...whole, ...some]).toEqual([nameOf(request)])
    }
  })

  test.each(['BAM', 'CRAM'])(
    '%s: fewer bytes come, of the length that is said, and the same again',
    async format => {
      const download = async (query: string) => {
        const reply = await fetch(`${vault.url}/reads/demo/child?format=${format}${query}`)
        const ticket = (await reply.json()) as { htsget: { urls: { url: string }[] } }
        const parts: Buffer[] = []
        for (const { url } of ticket.htsget.urls) {
          const part = await fetch(url)
          const bytes = Buffer.from(await part.arrayBuffer())
          if (url.startsWith('http')) expect(part.headers.get('content-length')).toBe(String(bytes.length))
          parts.push(bytes)
        }
        return Buffer.concat(parts)
      }
      const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
      const whole = await download('')
      const few = await download('&fields=FLAG,RNAME,POS,CIGAR&tags=')
      expect(few.length).toBeLessThan(0.4 * whole.length)
      expect(digest(await download('&fields=FLAG,RNAME,POS,CIGAR&tags='))).toBe(digest(few))
      expect(
        digest(await download('&fields=QNAME,FLAG,RNAME,POS,MAPQ,CIGAR,RNEXT,PNEXT,TLEN,SEQ,QUAL')),
      ).toBe(digest(whole))
    },
  )
})
