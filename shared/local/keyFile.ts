import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import type { Stats } from 'node:fs'
import { link, mkdir, open, readFile, rename, stat, unlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { readPrivateKey } from '#shared/crypt4gh/keys/readPrivateKey.ts'
import { writePrivateKey } from '#shared/crypt4gh/keys/writePrivateKey.ts'
import { writePublicKey } from '#shared/crypt4gh/keys/writePublicKey.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { wipe } from '#shared/crypt4gh/wipe.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { type DatedPair, ringOf } from '#shared/vault/keyRing.ts'
import type { KeyRotation } from '#shared/vault/ports/KeyRotation.ts'
import type { KeyPair, KeyStore } from '#shared/vault/ports/KeyStore.ts'
import { failedWith, isAbsence } from './folderErrors.ts'

/** Where below a vault's data folder its keys are. */
export const privateKeyName = 'keys/vault.sec'
export const publicKeyName = 'keys/vault.pub'
/** While the key is rotated: the newer pair, in force from the file's time on. */
const nextName = 'keys/vault.next.sec'

/** Larger is no key file; checked before it is read. */
const maxKeyFileBytes = 65536

/**
 * The vault's key pair in `keys/` below `dir`: `vault.sec` (Crypt4GH `c4gh-v1`, not locked, mode 0600) and
 * `vault.pub`; while it is rotated, the newer one in `vault.next.sec`. Made when it is first asked for, once, however many processes start; then kept in memory.
 *
 * Its `keyPair` throws HtsvaultError KEY_FILE_OPEN where others than the owner can read the file or change its folder,
 * KEY_UNAVAILABLE where it cannot be read.
 */
export function keyFile(dir: string): KeyStore {
  let known: { readonly files: string; readonly pairs: Promise<DatedPair[]> } | undefined
  return {
    async keyPair() {
      // Another process may rotate the key: the files are looked at each time, and read where they changed.
      const files = await filesNow(dir)
      if (known?.files !== files) {
        const entry = { files, pairs: openKeyPairs(dir) }
        known = entry
        // A failure is not kept: what was in the way may be mended.
        entry.pairs.catch(() => {
          if (known === entry) known = undefined
        })
      }
      return ringOf(await known.pairs, Date.now())
    },
  }
}

/**
 * The rotation of the key pair in key files. The new pair is `vault.next.sec` until the older one is out of use,
 * then `vault.sec`; the older one is kept as `retired.<time>.sec`, for its owner to delete.
 */
export function keyFileRotation(dir: string): KeyRotation {
  const newestOf = async () => {
    const pairs = await openKeyPairs(dir)
    return { pairs, newest: pairs.at(-1)! }
  }
  return {
    // Every process looks at the files each time.
    leadMs: 0,
    async state() {
      const { pairs, newest } = await newestOf()
      return { publicKey: newest.publicKey, ...(pairs.length > 1 && { newestFrom: newest.from }) }
    },
    async begin(from) {
      if ((await newestOf()).pairs.length > 1) throw conflict('a rotation is under way already')
      // One name whoever begins: a second pair at the same time is refused, not used.
      const pair = await makeSecret(join(dir, nextName))
      await keepPublic(join(dir, publicKeyName), pair.publicKey)
      wipe(pair.secretKey)
      await utimes(join(dir, nextName), from, from)
    },
    async end() {
      const { newest, pairs } = await newestOf()
      if (pairs.length < 2) return
      const retired = join(dir, 'keys', `retired.${newest.from.toISOString().replaceAll(':', '')}.sec`)
      await link(join(dir, privateKeyName), retired).catch((error: unknown) => {
        if (!failedWith(error, 'EEXIST')) throw error
      })
      await rename(join(dir, nextName), join(dir, privateKeyName))
    },
  }
}

const conflict = (what: string) =>
  new HtsvaultError('ROTATION_CONFLICT', what, {
    hint: 'Run the same command again: it goes on from what is there.',
  })

/** What tells one state of the key files from another. */
async function filesNow(dir: string): Promise<string> {
  const seen = async (name: string) => {
    const status = await stat(join(dir, name)).catch(() => undefined)
    return status === undefined ? '' : `${status.ino} ${status.mtimeMs}`
  }
  return `${await seen(privateKeyName)} ${await seen(nextName)}`
}

/** The oldest first. */
async function openKeyPairs(dir: string): Promise<DatedPair[]> {
  const folder = join(dir, 'keys')
  const secretPath = join(dir, privateKeyName)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    checkMode(await stat(folder), 0o022, folder, 'chmod 700')
    const nextPath = join(dir, nextName)
    // The newer one first: when it takes the place of the other in between, it is there under both names.
    const next = await readSecret(nextPath)
    const from = next && (await stat(nextPath).catch(() => undefined))?.mtime
    const pair = (await readSecret(secretPath)) ?? (await makeSecret(secretPath))
    const pairs = [{ ...pair, from: new Date(0) }]
    if (next && Buffer.compare(next.publicKey, pair.publicKey) !== 0)
      pairs.push({ ...next, from: from ?? new Date(0) })
    await keepPublic(join(dir, publicKeyName), pairs.at(-1)!.publicKey)
    return pairs
  } catch (cause) {
    if (cause instanceof HtsvaultError && cause.code === 'KEY_FILE_OPEN') throw cause
    const reason = cause instanceof HtsvaultError ? `: ${cause.message}` : ''
    throw new HtsvaultError('KEY_UNAVAILABLE', `the vault's key cannot be read${reason}`, {
      place: { file: secretPath },
      hint: `Put the key back from a backup: without it nothing in the vault opens. A new vault makes a new key where there is no ${privateKeyName}.`,
      cause,
    })
  }
}

async function readSecret(path: string): Promise<KeyPair | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    if (isAbsence(error)) return undefined
    throw error
  })
  if (handle === undefined) return undefined
  try {
    const status = await handle.stat()
    checkMode(status, 0o077, path, 'chmod 600')
    if (!status.isFile() || status.size > maxKeyFileBytes)
      throw new HtsvaultError('KEY_UNAVAILABLE', 'it is no key file')
    const bytes = await handle.readFile()
    try {
      const { publicKey, secretKey } = await readPrivateKey(bytes, nodeBackend)
      return { publicKey, secretKey }
    } finally {
      wipe(bytes)
    }
  } finally {
    await handle.close()
  }
}

/** Makes the key under a temporary name and links it to its own: of several processes one wins, the others read its. */
async function makeSecret(path: string): Promise<KeyPair> {
  const pair = generateKeyPair(nodeBackend)
  const temporary = await writeTemporary(path, await writePrivateKey(pair.secretKey, nodeBackend), 0o600)
  try {
    await link(temporary, path)
    return pair
  } catch (error) {
    if (failedWith(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) {
      // A file system without hard links.
      await rename(temporary, path)
      return pair
    }
    wipe(pair.secretKey)
    const winner = failedWith(error, 'EEXIST') ? await readSecret(path) : undefined
    if (winner === undefined) throw error
    return winner
  } finally {
    await unlink(temporary).catch(() => undefined)
  }
}

/** The public half is for people to copy; where it is missing or another's, it is written anew. */
async function keepPublic(path: string, publicKey: Uint8Array): Promise<void> {
  const pem = writePublicKey(publicKey)
  const present = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isAbsence(error)) return undefined
    throw error
  })
  if (present !== pem) await rename(await writeTemporary(path, pem, 0o644), path)
}

async function writeTemporary(path: string, text: string, mode: number): Promise<string> {
  const temporary = `${path}.${randomUUID()}.tmp`
  const handle = await open(temporary, 'wx', mode)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return temporary
}

/** Windows has no such modes. */
function checkMode(status: Stats, forbidden: number, path: string, command: string): void {
  if (process.platform !== 'win32' && (status.mode & forbidden) !== 0)
    throw new HtsvaultError('KEY_FILE_OPEN', "others than its owner can get at the vault's private key", {
      place: { file: path },
      hint: `${command} ${path}`,
    })
}
