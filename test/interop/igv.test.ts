import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { LocalServer } from '#shared/local/httpServer.ts'
import { launchChromium } from '#test/support/chromium.ts'
import { output, requireTools, temporaryFolder } from '#test/support/interop.ts'
import { filledVault, serveVault, type FilledVault } from '#test/support/servedVault.ts'

const root = join(import.meta.dirname, '..', '..')
const demo = (name: string) => join(root, 'demo', name)

/** What the test asks of igv.js. */
interface Igv {
  createBrowser(element: Element | null, options: object): Promise<{ trackViews: TrackView[] }>
}
interface TrackView {
  readonly track: { readonly name?: string; readonly type?: string }
  readonly viewports: readonly { readonly featureCache?: { readonly features: unknown } }[]
}
interface Feature {
  readonly start: number
  readonly pos?: number
  readonly readName?: string
}
interface Alignments {
  allAlignments(): Feature[]
}
declare global {
  var igv: Igv
}

const linesOf = (text: Buffer) =>
  text
    .toString()
    .split('\n')
    .filter(Boolean)
    .map(line => line.split('\t'))

/** A page with igv.js and a genome of one reference, on another origin than the vault's. */
async function servePage(): Promise<{ url: string; close: () => void }> {
  const script = readFileSync(join(root, 'node_modules', 'igv', 'dist', 'igv.min.js'))
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    if (path === '/igv.js') response.setHeader('content-type', 'text/javascript').end(script)
    else if (path === '/chr1.fa') response.end(`>chr1\n${'N'.repeat(1_000_000)}\n`)
    else
      response
        .setHeader('content-type', 'text/html')
        .end('<script src="igv.js"></script><div id="view"></div>')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => server.close() }
}

requireTools(
  'chromium',
  'samtools',
  'bcftools',
)('igv.js in Chromium', () => {
  const profile = temporaryFolder()
  let vault: FilledVault
  let server: LocalServer
  beforeAll(async () => {
    vault = await filledVault({
      'demo/child.bam': demo('child.bam'),
      'demo/trio.vcf.gz': demo('trio.vcf.gz'),
    })
    server = await serveVault(vault.ports)
  })
  afterAll(async () => {
    await server.close(0)
    vault.remove()
  })

  test('shows the reads and the variants of a region, which it asks a vault of another origin for', async () => {
    const page = await servePage()
    const browser = await launchChromium(profile)
    try {
      const tab = await browser.newPage()
      const asked: string[] = []
      tab.on('response', response => {
        if (response.url().startsWith(server.url)) asked.push(`${response.status()} ${new URL(response.url()).pathname.split('/')[1]!}`) // prettier-ignore
      })
      await tab.goto(page.url)
      const shown = await tab.evaluate(
        async ([vaultUrl, pageUrl]) => {
          const htsget = { sourceType: 'htsget' }
          const view = await globalThis.igv.createBrowser(document.getElementById('view'), {
            reference: { id: 'demo', fastaURL: `${pageUrl}chr1.fa`, indexed: false },
            locus: 'chr1:10,001-20,000',
            tracks: [
              {
                ...htsget,
                type: 'alignment',
                format: 'bam',
                name: 'reads',
                url: `${vaultUrl}/reads/demo/child`,
              },
              {
                ...htsget,
                type: 'variant',
                format: 'vcf',
                name: 'variants',
                url: `${vaultUrl}/variants/demo/trio`,
              },
            ],
          })
          const featuresOf = (name: string) =>
            view.trackViews.find(({ track }) => track.name === name)?.viewports[0]?.featureCache?.features
          const reads = (featuresOf('reads') as Alignments).allAlignments()
          const variants = featuresOf('variants') as Feature[]
          return {
            reads: reads.map(({ start, readName }) => `${start} ${readName}`),
            variants: variants.map(({ pos }) => pos!),
            canvases: document.getElementById('view')!.shadowRoot!.querySelectorAll('canvas').length,
          }
        },
        [server.url, page.url] as const,
      )
      const sam = await output('samtools', ['view', '-e', 'rname=="chr1" && pos<=20000 && endpos>10000', demo('child.bam')]) // prettier-ignore
      const reads = linesOf(sam).map(([name, , , pos]) => `${Number(pos) - 1} ${name}`)
      expect(reads.length).toBeGreaterThan(20)
      expect(shown.reads).toEqual(expect.arrayContaining(reads))
      const vcf = await output('bcftools', ['view', '-H', '-t', 'chr1:10001-20000', demo('trio.vcf.gz')])
      const positions = linesOf(vcf).map(([, pos]) => Number(pos))
      expect(positions.length).toBeGreaterThan(3)
      expect(shown.variants).toEqual(expect.arrayContaining(positions))
      expect(shown.canvases).toBeGreaterThan(0)
      expect(asked).toEqual(expect.arrayContaining(['200 reads', '200 variants', '200 data']))
      expect(asked.filter(line => !line.startsWith('200'))).toEqual([])
    } finally {
      await browser.close()
      page.close()
    }
  }, 120_000)
})
