import { HtsvaultError } from '#shared/errors.ts'
import { maxManifestBytes, readManifest, writeManifest, type Manifest } from './Manifest.ts'
import { baseKey, manifestKey } from './names.ts'
import type { KeyStore } from './ports/KeyStore.ts'
import type { ObjectStore } from './ports/ObjectStore.ts'
import { forgetManifest } from './recentManifests.ts'
import { renewHeaders } from './rekey.ts'

/** Which object, of which version, is a file's body: what stays as it is when the file is re-keyed. */
export interface BodyName {
  readonly key: string
  readonly etag: string
}

/** What a manifest takes the place of, as it was when its ingest began. */
export interface PlacedOver {
  /** The etag of the manifest; absent where there was none. */
  readonly before: string | undefined
  /** The body that it named; absent where it could not be read. */
  readonly replaces?: BodyName
  /** Parts that are of no use once the new manifest stands. */
  readonly leftovers: readonly string[]
}

/** How often a manifest is tried that somebody re-keys at the same time. */
const maxTries = 5

/**
 * Makes a file visible: writes its manifest in the place of the one that was there when its ingest began, then deletes
 * what that one left. The headers are written for the key pair that is in force now; where the file before was re-keyed
 * in the meantime, it is still that file. Safe to repeat, and to run twice at once.
 * @throws HtsvaultError PRECONDITION_FAILED where another file is there by now; KEY_UNAVAILABLE where the key pair that
 * the ingest began with is out of use
 */
export async function placeManifest(
  { vault, keys }: { readonly vault: ObjectStore; readonly keys: KeyStore },
  manifest: Manifest,
  { before, replaces, leftovers }: PlacedOver,
): Promise<Manifest> {
  const key = manifestKey(baseKey(manifest.id, manifest.format))
  const placed = await forPresentKey(keys, manifest)
  const bytes = writeManifest(placed)
  let etag = before
  for (let tries = 1; ; tries++) {
    try {
      await vault.put(key, bytes, etag === undefined ? { ifAbsent: true } : { ifMatch: etag })
      break
    } catch (error) {
      if (!isPreconditionFailed(error)) throw error
      const there = await vault.get(key, maxManifestBytes)
      const body = there && bodyOf(there.bytes, key)
      // Whoever helps with this publication was faster.
      if (isSame(body, manifest.body)) break
      if (etag === undefined || tries === maxTries || !isSame(body, replaces)) throw error
      etag = there!.info.etag
    }
  }
  forgetManifest(vault, manifest.id)
  for (const leftover of leftovers) await vault.delete(leftover)
  return placed
}

/** The body that a manifest names; undefined where it is unreadable. */
export function bodyOf(bytes: Uint8Array, key: string): BodyName | undefined {
  try {
    const { body } = readManifest(bytes, key)
    return { key: body.key, etag: body.etag }
  } catch {
    return undefined
  }
}

const isSame = (a: BodyName | undefined, b: BodyName | undefined) =>
  a !== undefined && a.key === b?.key && a.etag === b.etag

export const isPreconditionFailed = (error: unknown): boolean =>
  error instanceof HtsvaultError && error.code === 'PRECONDITION_FAILED'

/**
 * A manifest whose headers are for the key pair in force.
 * @throws HtsvaultError KEY_UNAVAILABLE where none that is in use opens them
 */
export async function forPresentKey(keys: KeyStore, manifest: Manifest): Promise<Manifest> {
  if (manifest.encryption === 'none') return manifest
  const ring = await keys.keyPair()
  try {
    return renewHeaders(manifest, ring) ?? manifest
  } catch (cause) {
    throw new HtsvaultError('KEY_UNAVAILABLE', 'the key pair that this ingest began with is out of use', {
      place: { file: manifest.body.key },
      hint: 'Nothing: the upload is tried again.',
      cause,
    })
  }
}
