import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Kdf } from '#shared/crypt4gh/keys/kdf.ts'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { readPrivateKey } from '#shared/crypt4gh/keys/readPrivateKey.ts'
import { readPublicKey } from '#shared/crypt4gh/keys/readPublicKey.ts'
import { writePrivateKey } from '#shared/crypt4gh/keys/writePrivateKey.ts'
import { writePublicKey } from '#shared/crypt4gh/keys/writePublicKey.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { backends, codeOf, newKeys } from './support.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const say = (passphrase: string) => () => Promise.resolve(passphrase)

describe.each(backends)('keys, $name', backend => {
  test('a secret has the same public key in either backend', async () => {
    for (let i = 0; i < 20; i++) {
      const { secretKey, publicKey } = newKeys()
      const read = await readPrivateKey(secretKey, backend)
      expect(Buffer.from(read.publicKey).equals(publicKey)).toBe(true)
    }
  })

  test('what is read from a Buffer outlives its being wiped', async () => {
    const { secretKey } = newKeys()
    const file = Buffer.from(secretKey)
    const read = await readPrivateKey(file, backend)
    file.fill(0)
    expect(Buffer.compare(read.secretKey, secretKey)).toBe(0)
  })

  // Deriving the key, which is slow by design, is no matter of the backend.
  const kdfs: Kdf[] = backend === nodeBackend ? ['scrypt', 'bcrypt', 'pbkdf2_hmac_sha256'] : ['scrypt']
  test.each(kdfs)('locked by %s: written, read, refused', async kdf => {
    const pair = generateKeyPair(backend)
    const text = await writePrivateKey(pair.secretKey, backend, {
      passphrase: 'pässword',
      kdf,
      comment: 'mine',
    })
    expect(text).toContain('BEGIN CRYPT4GH ENCRYPTED PRIVATE KEY')
    const read = await readPrivateKey(bytesOf(text), backend, say('pässword'))
    expect(Buffer.from(read.secretKey).equals(pair.secretKey)).toBe(true)
    expect(Buffer.from(read.publicKey).equals(pair.publicKey)).toBe(true)
    expect(read.comment).toBe('mine')
    expect(await codeOf(() => readPrivateKey(bytesOf(text), backend, say('password')))).toBe(
      'KEY_WRONG_PASSPHRASE',
    )
    expect(await codeOf(() => readPrivateKey(bytesOf(text), backend, say('')))).toBe('KEY_PASSPHRASE_MISSING')
    expect(await codeOf(() => readPrivateKey(bytesOf(text), backend))).toBe('KEY_PASSPHRASE_MISSING')
    // The label that Python and Rust write.
    const relabelled = text.replaceAll(' ENCRYPTED', '')
    const again = await readPrivateKey(bytesOf(relabelled), backend, say('pässword'))
    expect(Buffer.from(again.secretKey).equals(pair.secretKey)).toBe(true)
  })

  test('not locked: with a comment, raw, and raw in PEM', async () => {
    const { secretKey, publicKey } = generateKeyPair(backend)
    const text = await writePrivateKey(secretKey, backend, { comment: '' })
    const pem = `-----BEGIN CRYPT4GH PRIVATE KEY-----\n${Buffer.from(secretKey).toString('base64')}\n-----END CRYPT4GH PRIVATE KEY-----`
    for (const form of [bytesOf(text), secretKey, bytesOf(pem)])
      expect(Buffer.from((await readPrivateKey(form, backend)).publicKey).equals(publicKey)).toBe(true)
    expect((await readPrivateKey(bytesOf(text), backend)).comment).toBe('')
  })
})

describe('public keys', () => {
  const { publicKey } = newKeys()
  const pem = writePublicKey(publicKey)
  const base64 = Buffer.from(publicKey).toString('base64')

  test.each([
    ['PEM', pem],
    ['PEM with Windows line ends', pem.replaceAll('\n', '\r\n')],
    ['PEM bytes', bytesOf(pem)],
    ['raw', publicKey],
    ['base64', base64],
    ['base64 of PEM', Buffer.from(pem).toString('base64')],
  ])('as %s', (_, form) => {
    expect(Buffer.from(readPublicKey(form)).equals(publicKey)).toBe(true)
  })

  test('as an OpenSSH line', () => {
    const line = `ssh-ed25519 ${sshBlob(Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex'))} a comment`
    // RFC 8032 §7.1 test 1, through the map of RFC 7748 §4.1 by libsodium.
    expect(Buffer.from(readPublicKey(line)).toString('hex')).toBe(
      'd85e07ec22b0ad881537c2f44d662d1a143cf830c57aca4305d85c7a90f6b62e',
    )
  })
})

describe('points of low order', () => {
  const p = 2n ** 255n - 19n
  const bytesOfNumber = (u: bigint) => Buffer.from(u.toString(16).padStart(64, '0'), 'hex').reverse()
  const low = [
    ...[0n, 1n, p - 1n, p, p + 1n].map(bytesOfNumber),
    // Of order 8, as https://cr.yp.to/ecdh.html gives them.
    Buffer.from('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', 'hex'),
    Buffer.from('5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157', 'hex'),
  ].flatMap(key => {
    const other = Buffer.from(key)
    // Readers pass over the highest bit.
    other[31]! |= 0x80
    return [key, other]
  })

  test.each(low.map(key => [key.toString('hex'), key] as const))('%s is no key', async (_, key) => {
    for (const backend of backends) expect(backend.x25519(newKeys().secretKey).agree(key)).toBeUndefined()
    for (const form of [key, key.toString('base64'), writePublicKey(key)])
      expect(await codeOf(() => readPublicKey(form))).toBe('KEY_INVALID')
  })

  test.each([2n, p - 2n, p + 2n, 2n ** 255n - 1n])('their neighbour %s is one', u => {
    const key = bytesOfNumber(u)
    for (const backend of backends) expect(backend.x25519(newKeys().secretKey).agree(key)).toBeDefined()
    expect(Buffer.from(readPublicKey(key)).equals(key)).toBe(true)
  })

  test.each([0n, 1n, p - 1n])('nor is the ed25519 key of y = %s', async y => {
    const line = `ssh-ed25519 ${sshBlob(bytesOfNumber(y))}`
    expect(await codeOf(() => readPublicKey(line))).toBe('KEY_INVALID')
  })
})

const sshBlob = (key: Buffer) => {
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes])
  return Buffer.concat([field(Buffer.from('ssh-ed25519')), field(key)]).toString('base64')
}

describe('what is no key', () => {
  const pemOf = (label: string, bytes: Buffer) =>
    bytesOf(`-----BEGIN ${label}-----\n${bytes.toString('base64')}\n-----END ${label}-----\n`)
  const c4gh = (...parts: (string | Buffer)[]) =>
    pemOf(
      'CRYPT4GH PRIVATE KEY',
      Buffer.concat([
        Buffer.from('c4gh-v1'),
        ...parts.flatMap(p => [Buffer.from([0, p.length]), Buffer.from(p as string)]),
      ]),
    )
  const pbkdf2 = 'pbkdf2_hmac_sha256'
  const rounds = (n: number) =>
    Buffer.concat([Buffer.from(Uint32Array.of(n).buffer).reverse(), Buffer.alloc(16)])

  test.each([
    ['empty', bytesOf(''), 'KEY_FORMAT_UNKNOWN'],
    ['31 bytes', new Uint8Array(31), 'KEY_FORMAT_UNKNOWN'],
    ['long', new Uint8Array(1 << 20), 'KEY_FORMAT_UNKNOWN'],
    ['public', bytesOf(writePublicKey(new Uint8Array(32))), 'KEY_FORMAT_UNKNOWN'],
    ['of RSA', pemOf('RSA PRIVATE KEY', Buffer.alloc(40)), 'KEY_METHOD_UNSUPPORTED'],
    ['not c4gh inside', pemOf('CRYPT4GH PRIVATE KEY', Buffer.alloc(40)), 'KEY_CORRUPT'],
    ['cut off', c4gh('none', 'none').subarray(0), 'KEY_CORRUPT'],
    ['of 31 secret bytes', c4gh('none', 'none', Buffer.alloc(31)), 'KEY_CORRUPT'],
    [
      'of an unknown kdf',
      c4gh('argon2', rounds(1), 'chacha20_poly1305', Buffer.alloc(60)),
      'KEY_METHOD_UNSUPPORTED',
    ],
    [
      'named after what every object has',
      c4gh('constructor', rounds(1), 'chacha20_poly1305', Buffer.alloc(60)),
      'KEY_METHOD_UNSUPPORTED',
    ],
    ['of an unknown cipher', c4gh(pbkdf2, rounds(1), 'rot13', Buffer.alloc(60)), 'KEY_METHOD_UNSUPPORTED'],
    [
      'of four thousand million rounds',
      c4gh(pbkdf2, rounds(0xffffffff), 'chacha20_poly1305', Buffer.alloc(60)),
      'KEY_METHOD_UNSUPPORTED',
    ],
    ['of no rounds', c4gh('bcrypt', rounds(0), 'chacha20_poly1305', Buffer.alloc(60)), 'KEY_CORRUPT'],
    ['of OpenSSH, empty', pemOf('OPENSSH PRIVATE KEY', Buffer.alloc(0)), 'KEY_CORRUPT'],
  ])('%s', async (_, bytes, code) => {
    expect(await codeOf(() => readPrivateKey(bytes, nodeBackend, say('x')))).toBe(code)
  })

  test.each([
    ['empty', '', 'KEY_FORMAT_UNKNOWN'],
    ['words', 'hello world', 'KEY_FORMAT_UNKNOWN'],
    ['ssh-rsa', 'ssh-rsa AAAA', 'KEY_METHOD_UNSUPPORTED'],
    ['a broken ssh line', 'ssh-ed25519 AAAA', 'KEY_CORRUPT'],
    [
      'another type inside',
      `ssh-ed25519 ${Buffer.from('\0\0\0\x01x\0\0\0\x01y').toString('base64')}`,
      'KEY_CORRUPT',
    ],
  ])('public: %s', async (_, text, code) => {
    expect(await codeOf(() => readPublicKey(text))).toBe(code)
  })

  test('a private key is not taken for a public one', async () => {
    const text = await writePrivateKey(newKeys().secretKey, nodeBackend)
    expect(await codeOf(() => readPublicKey(text))).toBe('KEY_FORMAT_UNKNOWN')
  })

  test('messages tell nothing of what is inside', async () => {
    const text = await writePrivateKey(newKeys().secretKey, nodeBackend)
    await fc.assert(
      fc.asyncProperty(
        fc.nat(text.length - 1),
        fc.string({ minLength: 1, maxLength: 1 }),
        async (at, letter) => {
          const broken = text.slice(0, at) + letter + text.slice(at + 1)
          const error: unknown = await readPrivateKey(bytesOf(broken), nodeBackend, say('x')).catch(
            (e: unknown) => e,
          )
          if (error instanceof Error) expect(error.message).not.toContain(text.split('\n')[1]!.slice(30, 40))
        },
      ),
    )
  })
})
