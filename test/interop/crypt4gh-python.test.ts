import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { encryptBytes } from '#shared/crypt4gh/body/encryptBytes.ts'
import { decryptStream } from '#shared/crypt4gh/decryptStream.ts'
import { encryptStream } from '#shared/crypt4gh/encryptStream.ts'
import { openHeader } from '#shared/crypt4gh/header/openHeader.ts'
import { readHeader } from '#shared/crypt4gh/header/readHeader.ts'
import { reencryptHeader } from '#shared/crypt4gh/header/reencryptHeader.ts'
import { writeHeader } from '#shared/crypt4gh/header/writeHeader.ts'
import { generateKeyPair, type KeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { readPrivateKey } from '#shared/crypt4gh/keys/readPrivateKey.ts'
import { readPublicKey } from '#shared/crypt4gh/keys/readPublicKey.ts'
import { writePrivateKey } from '#shared/crypt4gh/keys/writePrivateKey.ts'
import { writePublicKey } from '#shared/crypt4gh/keys/writePublicKey.ts'
import { rearrange } from '#shared/crypt4gh/rearrange.ts'
import { backends, drainAsync } from '../crypt4gh/support.ts'
import { output, requireTools, temporaryFolder } from '../support/interop.ts'

const passphrase = 'pass phrase'
const sizes = [0, 1, 65535, 65536, 65537, 131072, 200_000]

for (const backend of backends)
  requireTools('crypt4gh', 'crypt4gh-keygen')(`the Python reference and the ${backend.name} backend`, () => {
    const folder = temporaryFolder()
    const path = (name: string) => join(folder, name)
    const plain = randomBytes(200_000)
    const python = (args: string[], input: Uint8Array) =>
      output('crypt4gh', args, { input, env: { C4GH_PASSPHRASE: passphrase, C4GH_SECRET_KEY: undefined } })

    /** A key pair of ours, with its files; the private one locked by the reference's own way. */
    const pairs = Promise.all(
      ['scrypt', 'bcrypt', 'pbkdf2_hmac_sha256', undefined].map(async (kdf, i) => {
        const pair = generateKeyPair(backend)
        const locked = kdf === undefined ? {} : { passphrase, kdf: kdf as 'scrypt' }
        writeFileSync(
          path(`${i}.sec`),
          await writePrivateKey(pair.secretKey, backend, { ...locked, comment: 'a' }),
        )
        writeFileSync(path(`${i}.pub`), writePublicKey(pair.publicKey))
        return { ...pair, sec: path(`${i}.sec`), pub: path(`${i}.pub`) }
      }),
    )
    const recipients = (list: readonly KeyPair[]) => list.map(({ publicKey }) => publicKey)
    const encrypt = (text: Uint8Array, readers: readonly KeyPair[]) =>
      drainAsync(encryptStream([text], { recipients: recipients(readers) }, backend))

    test.each([0, 1, 2, 3])('it reads our keys (%i: scrypt, bcrypt, pbkdf2, none)', async i => {
      const pair = (await pairs)[i]!
      const file = await encrypt(plain, [pair])
      expect(plain.equals(await python(['decrypt', '--sk', pair.sec], file))).toBe(true)
    })

    test.each(sizes)('it reads what we write, we read what it writes: %i bytes', async size => {
      const [, , , alice] = await pairs
      const text = plain.subarray(0, size)
      expect(text.equals(await python(['decrypt', '--sk', alice!.sec], await encrypt(text, [alice!])))).toBe(
        true,
      )
      const file = await python(['encrypt', '--sk', alice!.sec, '--recipient_pk', alice!.pub], text)
      expect(text.equals(await drainAsync(decryptStream([file], alice!, backend)))).toBe(true)
    })

    test('several recipients, re-encrypted, several data keys', async () => {
      const all = await pairs
      const [, , bob, alice] = all
      const file = await encrypt(plain, all)
      const forBob = await python(
        ['reencrypt', '--sk', alice!.sec, '--recipient_pk', bob!.pub, '--trim'],
        file,
      )
      expect(plain.equals(await drainAsync(decryptStream([forBob], bob!, backend)))).toBe(true)

      const dataKeys = [randomBytes(32), randomBytes(32)]
      const header = writeHeader({ dataKeys, recipients: [bob!.publicKey] }, backend)
      const body = [plain.subarray(0, 65536), plain.subarray(65536)].map((part, i) =>
        encryptBytes(part, dataKeys[i]!, backend),
      )
      const forAlice = reencryptHeader(
        readHeader(header),
        { keys: [bob!], recipients: [alice!.publicKey] },
        backend,
      )
      const read = await python(['decrypt', '--sk', alice!.sec], Buffer.concat([forAlice, ...body]))
      expect(read.equals(plain)).toBe(true)
    })

    // Where a kept range ends or begins just on a border the reference has faults of its own (1.8.6).
    test.each([
      [[[10, 100]]],
      [[[70_000, 140_001]]],
      [
        [
          [10, 20],
          [30, 100],
        ],
      ],
      [
        [
          [5, 65530],
          [131_080, 199_999],
        ],
      ],
    ])('it reads our edit list of %j', async ranges => {
      const [, , , alice] = await pairs
      const file = await encrypt(plain, [alice!])
      const header = readHeader(file)
      const body = file.subarray(header.length)
      const plan = rearrange(
        openHeader(header, alice!, backend),
        {
          ranges: ranges.map(([start, end]) => ({ start: start!, end: end! })),
          recipients: [alice!.publicKey],
          plainSize: plain.length,
        },
        backend,
      )
      const part = Buffer.concat([
        plan.header,
        ...plan.body.map(({ start, end }) => body.subarray(start, end)),
      ])
      const expected = Buffer.concat(ranges.map(([start, end]) => plain.subarray(start, end)))
      expect(expected.equals(await python(['decrypt', '--sk', alice!.sec], part))).toBe(true)
    })

    test.each(['10-1000', '65536-131072', '70000-199999'])('we read its rearranged file: %s', async range => {
      const [, , , alice] = await pairs
      const file = await encrypt(plain, [alice!])
      const part = await python(['rearrange', '--sk', alice!.sec, '--range', range], file)
      const theirs = await python(['decrypt', '--sk', alice!.sec], part)
      expect(theirs.length).toBeGreaterThan(0)
      expect(theirs.equals(await drainAsync(decryptStream([part], alice!, backend)))).toBe(true)
    })

    test('we read its keys, locked and not', async () => {
      await output('crypt4gh-keygen', [
        '--sk',
        path('py.sec'),
        '--pk',
        path('py.pub'),
        '--nocrypt',
        '-C',
        'c',
      ])
      const pair = await readPrivateKey(readFileSync(path('py.sec')), backend)
      expect(Buffer.from(pair.publicKey).equals(readPublicKey(readFileSync(path('py.pub'))))).toBe(true)
      expect(pair.comment).toBe('c')
    })
  })

requireTools('ssh-keygen', 'crypt4gh')('OpenSSH keys', () => {
  const folder = temporaryFolder()

  test.each([
    ['none', '', []],
    ['aes256-ctr', 'secret', []],
    ['aes256-cbc', 'secret', ['-Z', 'aes256-cbc']],
    ['aes128-ctr', 'secret', ['-Z', 'aes128-ctr']],
  ])('locked by %s', async (name, secret, cipher) => {
    const file = join(folder, name)
    await output('ssh-keygen', ['-q', '-t', 'ed25519', '-f', file, '-N', secret, '-C', 'x', ...cipher])
    const [backend] = backends
    const pair = await readPrivateKey(readFileSync(file), backend!, () => Promise.resolve(secret))
    const publicKey = readPublicKey(readFileSync(`${file}.pub`))
    expect(Buffer.from(pair.publicKey).equals(publicKey)).toBe(true)
    const encrypted = await drainAsync(
      encryptStream([Buffer.from('text')], { recipients: [publicKey] }, backend!),
    )
    const env = { C4GH_PASSPHRASE: secret === '' ? undefined : secret, C4GH_SECRET_KEY: undefined }
    // The reference reads only keys that are not locked, or by aes256-ctr.
    if (['none', 'aes256-ctr'].includes(name))
      expect(
        (await output('crypt4gh', ['decrypt', '--sk', file], { input: encrypted, env })).toString(),
      ).toBe('text')
    expect((await drainAsync(decryptStream([encrypted], pair, backend!))).toString()).toBe('text')
  })
})
