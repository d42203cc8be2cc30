import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { build } from 'esbuild'
import { chromium, type BrowserContext, type Page } from 'playwright-core'
import type * as Library from '../crypt4gh/browserEntry.ts'
import { toolPath } from './interop.ts'

declare global {
  var library: typeof Library
}

/** A page with the bundled library, on an address of its own: random bytes need a secure context. */
async function servePage(): Promise<{ url: string; close: () => void }> {
  const { outputFiles } = await build({
    stdin: {
      contents: `import * as library from './browserEntry.ts'; globalThis.library = library`,
      resolveDir: join(import.meta.dirname, '..', 'crypt4gh'),
    },
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    logLevel: 'silent',
  })
  const server = createServer((request, response) => {
    response.setHeader('content-type', request.url === '/library.js' ? 'text/javascript' : 'text/html')
    response.end(request.url === '/library.js' ? outputFiles[0]!.text : '<script src="library.js"></script>')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => server.close() }
}

/** Headless Chromium; asks nobody but the test's own servers. `profile`: an empty folder. */
export const launchChromium = (profile: string): Promise<BrowserContext> =>
  chromium.launchPersistentContext(profile, {
    executablePath: toolPath('chromium')!,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })

/** A page in headless Chromium with the Crypt4GH library as `globalThis.library`. `profile`: an empty folder. */
export async function openPage(profile: string): Promise<{ tab: Page; close: () => Promise<void> }> {
  const page = await servePage()
  const browser = await launchChromium(profile)
  const tab = await browser.newPage()
  await tab.goto(page.url)
  return {
    tab,
    async close() {
      await browser.close()
      page.close()
    },
  }
}
