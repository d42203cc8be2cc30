import { randomBytes } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { decryptStream } from '#shared/crypt4gh/decryptStream.ts'
import { encryptStream } from '#shared/crypt4gh/encryptStream.ts'
import { writePrivateKey } from '#shared/crypt4gh/keys/writePrivateKey.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { drainAsync, newKeys } from '../crypt4gh/support.ts'
import { openPage } from '../support/chromium.ts'
import { requireTools, temporaryFolder } from '../support/interop.ts'

requireTools('chromium')('the library in Chromium', () => {
  const profile = temporaryFolder()

  test('decrypts what we encrypted with a locked key, and encrypts what we decrypt', async () => {
    const alice = newKeys()
    const key = await writePrivateKey(alice.secretKey, nodeBackend, { passphrase: 'secret' })
    const plain = randomBytes(150_000)
    const file = await drainAsync(encryptStream([plain], { recipients: [alice.publicKey] }, nodeBackend))

    const { tab, close } = await openPage(profile)
    try {
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
      await close()
    }
  }, 120_000)
})
