import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from '@jest/globals'
import { decryptBytes } from '#shared/crypt4gh/body/decryptBytes.ts'
import { decryptStream } from '#shared/crypt4gh/decryptStream.ts'
import { openHeader } from '#shared/crypt4gh/header/openHeader.ts'
import { readHeader } from '#shared/crypt4gh/header/readHeader.ts'
import type { KeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { readPrivateKey } from '#shared/crypt4gh/keys/readPrivateKey.ts'
import { readPublicKey } from '#shared/crypt4gh/keys/readPublicKey.ts'
import { backends, codeOf, cutAt, drainAsync } from '../crypt4gh/support.ts'
import { describeWithData, sharedData } from '../support/interop.ts'

interface Manifest {
  readonly keys: Record<
    string,
    {
      sec: string
      pub: string
      passphrase: string | null
      x25519_secret_hex: string
      x25519_public_hex: string
    }
  >
  readonly files: readonly {
    file: string
    expect: string
    readers: string[]
    not_readers?: string[]
    plain_sha256?: string
    plain_size?: number
    body?: string
    header?: string
  }[]
}

const folder = describeWithData('crypt4gh/MANIFEST.json')

folder('vectors of the Python reference', () => {
  const root = sharedData('crypt4gh')!
  const read = (path: string) => readFileSync(join(root, path))
  const { keys, files } = JSON.parse(read('MANIFEST.json').toString()) as Manifest
  const pairs = new Map<string, KeyPair>()
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

  test('are all there', () => {
    expect(files.filter(f => f.expect === 'ok').length).toBeGreaterThanOrEqual(31)
    expect(Object.keys(keys).length).toBeGreaterThanOrEqual(8)
  })

  for (const backend of backends)
    describeBackend(backend.name, () => {
      beforeAll(async () => {
        for (const [name, { sec, passphrase }] of Object.entries(keys)) {
          const say = passphrase === null ? undefined : () => Promise.resolve(passphrase)
          pairs.set(name, await readPrivateKey(read(sec), backend, say))
        }
      }, 60_000)

      test.each(Object.entries(keys))('key %s', async (name, key) => {
        const pair = pairs.get(name)!
        expect(Buffer.from(pair.secretKey).toString('hex')).toBe(key.x25519_secret_hex)
        expect(Buffer.from(pair.publicKey).toString('hex')).toBe(key.x25519_public_hex)
        expect(Buffer.from(readPublicKey(read(key.pub))).toString('hex')).toBe(key.x25519_public_hex)
        if (key.passphrase !== null)
          expect(
            await codeOf(() => readPrivateKey(read(key.sec), backend, () => Promise.resolve('wrong'))),
          ).toBe('KEY_WRONG_PASSPHRASE')
      })

      const readable = files.filter(({ expect: what }) => what === 'ok')
      test.each(readable.map(f => [f.file, f] as const))('%s', async (_, entry) => {
        const bytes = read(entry.file)
        for (const reader of entry.readers) {
          const header = readHeader(bytes)
          const whole = decryptBytes(
            bytes.subarray(header.length),
            openHeader(header, pairs.get(reader)!, backend),
            backend,
          )
          expect([whole.length, sha256(whole)]).toEqual([entry.plain_size, entry.plain_sha256])
          const streamed = await drainAsync(
            decryptStream(cutAt(bytes, [1, 50, 200, 70_000]), pairs.get(reader)!, backend),
          )
          expect(sha256(streamed)).toBe(entry.plain_sha256)
        }
        for (const name of Object.keys(keys).filter(k => !entry.readers.includes(k)))
          expect(await codeOf(() => openHeader(readHeader(bytes), pairs.get(name)!, backend))).toBe(
            'CRYPT4GH_WRONG_KEY',
          )
      })

      test.each(files.filter(f => f.body !== undefined).map(f => [f.file, f] as const))(
        '%s, its body apart',
        (_, entry) => {
          const expected = files.find(f => f.file === entry.body)!
          for (const reader of entry.readers) {
            const open = openHeader(readHeader(read(entry.file)), pairs.get(reader)!, backend)
            const plain = decryptBytes(read(entry.body!), open, backend)
            expect(plain.length).toBe(expected.plain_size)
            expect(sha256(plain)).toBe(sha256(read('plain/200000.bin')))
          }
        },
      )

      test('a body without its header is not Crypt4GH', async () => {
        const body = files.find(f => f.header !== undefined)!
        expect(await codeOf(() => readHeader(read(body.file)))).toBe('NOT_CRYPT4GH')
      })
    })
})

function describeBackend(name: string, body: () => void): void {
  folder(`by the ${name} backend`, body)
}
