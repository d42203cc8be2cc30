import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { readPrivateKey } from '#shared/crypt4gh/keys/readPrivateKey.ts'
import { readPublicKey } from '#shared/crypt4gh/keys/readPublicKey.ts'
import { writePrivateKey } from '#shared/crypt4gh/keys/writePrivateKey.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { keyFile } from '#shared/local/keyFile.ts'
import { keyStoreContract } from '#test/support/contract/keyStore.ts'

const scratch = mkdtempSync(join(tmpdir(), 'htsvault-'))
afterAll(() => rmSync(scratch, { recursive: true }))
const newFolder = () => mkdtempSync(join(scratch, 'k-'))
const code = (value: string, hint?: string) =>
  expect.objectContaining({
    name: 'HtsvaultError',
    code: value,
    ...(hint !== undefined && { hint }),
  }) as unknown

describe('the key file', () => {
  keyStoreContract(async () => {
    const dir = newFolder()
    return { open: () => keyFile(dir) }
  })

  test('is a Crypt4GH key that only its owner can read, with the public half beside it', async () => {
    const dir = newFolder()
    const { publicKey, secretKey } = await keyFile(dir).keyPair()
    expect(readdirSync(join(dir, 'keys')).sort()).toEqual(['vault.pub', 'vault.sec'])
    expect(statSync(join(dir, 'keys')).mode & 0o777).toBe(0o700)
    expect(statSync(join(dir, 'keys/vault.sec')).mode & 0o777).toBe(0o600)
    const text = readFileSync(join(dir, 'keys/vault.sec'))
    expect(text.toString()).toMatch(/^-----BEGIN CRYPT4GH PRIVATE KEY-----\n/)
    expect((await readPrivateKey(text, nodeBackend)).secretKey).toEqual(secretKey)
    expect(readPublicKey(readFileSync(join(dir, 'keys/vault.pub')))).toEqual(publicKey)
  })

  test('is not used where others can read it', async () => {
    const dir = newFolder()
    const { secretKey } = await keyFile(dir).keyPair()
    const path = join(dir, 'keys/vault.sec')
    chmodSync(path, 0o640)
    const store = keyFile(dir)
    await expect(store.keyPair()).rejects.toEqual(code('KEY_FILE_OPEN', `chmod 600 ${path}`))
    chmodSync(path, 0o600)
    chmodSync(join(dir, 'keys'), 0o777)
    await expect(store.keyPair()).rejects.toEqual(code('KEY_FILE_OPEN', `chmod 700 ${join(dir, 'keys')}`))
    chmodSync(join(dir, 'keys'), 0o700)
    expect((await store.keyPair()).secretKey).toEqual(secretKey)
  })

  test.each([
    ['empty', ''],
    ['no key', 'hello'],
    ['cut off', '-----BEGIN CRYPT4GH PRIVATE KEY-----\nYzRnaC12MQAEbm9uZQ=='],
    ['huge', 'x'.repeat(65537)],
  ])('that is %s is an error, and stays as it is', async (_, text) => {
    const dir = newFolder()
    mkdirSync(join(dir, 'keys'), { mode: 0o700 })
    writeFileSync(join(dir, 'keys/vault.sec'), text, { mode: 0o600 })
    await expect(keyFile(dir).keyPair()).rejects.toEqual(code('KEY_UNAVAILABLE'))
    expect(readFileSync(join(dir, 'keys/vault.sec'), 'utf8')).toBe(text)
  })

  test('that is locked is an error', async () => {
    const dir = newFolder()
    mkdirSync(join(dir, 'keys'), { mode: 0o700 })
    const locked = await writePrivateKey(new Uint8Array(32).fill(7), nodeBackend, { passphrase: 'p' })
    writeFileSync(join(dir, 'keys/vault.sec'), locked, { mode: 0o600 })
    await expect(keyFile(dir).keyPair()).rejects.toEqual(code('KEY_UNAVAILABLE'))
  })

  test('a public half that is missing or wrong is written anew', async () => {
    const dir = newFolder()
    await keyFile(dir).keyPair()
    const path = join(dir, 'keys/vault.pub')
    const before = readFileSync(path, 'utf8')
    for (const spoil of [() => rmSync(path), () => writeFileSync(path, 'other')]) {
      spoil()
      await keyFile(dir).keyPair()
      expect(readFileSync(path, 'utf8')).toBe(before)
    }
  })
})
