import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { decryptStream } from '#shared/crypt4gh/decryptStream.ts'
import { encryptStream } from '#shared/crypt4gh/encryptStream.ts'
import { writePrivateKey } from '#shared/crypt4gh/keys/writePrivateKey.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import type * as Library from '../crypt4gh/browserEntry.ts'
import { drainAsync, newKeys } from '../crypt4gh/support.ts'
import { requireTools, temporaryFolder, toolPath } from '../support/interop.ts'

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

requireTools('chromium')('the library in Chromium', () => {
  const profile = temporaryFolder()

  test('decrypts what we encrypted with a locked key, and encrypts what we decrypt', async () => {
    const alice = newKeys()
    const key = await writePrivateKey(alice.secretKey, nodeBackend, { passphrase: 'secret' })
    const plain = randomBytes(150_000)
    const file = await drainAsync(encryptStream([plain], { recipients: [alice.publicKey] }, nodeBackend))

    const page = await servePage()
    const browser = await chromium.launchPersistentContext(profile, {
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
    try {
      const tab = await browser.newPage()
      await tab.goto(page.url)
      const answer = await tab.evaluate(
        async ([keyText, base64]) => {
          const { decryptStream, encryptStream, portableBackend, readPrivateKey } = globalThis.library
          const collect = async (chunks: AsyncIterable<Uint8Array>) => {
            const parts: Uint8Array<ArrayBuffer>[] = []
            for await (const chunk of chunks) parts.push(Uint8Array.from(chunk))
            return new Uint8Array(await new Blob(parts).arrayBuffer())
          }
          const toBase64 = (bytes: Uint8Array) =>
            btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(''))

          const pair = await readPrivateKey(new TextEncoder().encode(keyText), portableBackend, () =>
            Promise.resolve('secret'),
          )
          const bytes = Uint8Array.from(atob(base64!), letter => letter.charCodeAt(0))
          const decrypted = await collect(decryptStream([bytes], pair, portableBackend))
          const recipients = [pair.publicKey]
          const encrypted = await collect(encryptStream([decrypted], { recipients }, portableBackend))
          return [toBase64(decrypted), toBase64(encrypted)]
        },
        [key, file.toString('base64')],
      )
      const [decrypted, encrypted] = answer.map(text => Buffer.from(text, 'base64'))
      expect(decrypted!.equals(plain)).toBe(true)
      expect((await drainAsync(decryptStream([encrypted!], alice, nodeBackend))).equals(plain)).toBe(true)
    } finally {
      await browser.close()
      page.close()
    }
  }, 120_000)
})
