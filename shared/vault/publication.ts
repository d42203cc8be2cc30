import { randomBytes } from 'node:crypto'
import type { Format, IndexedFile } from '#shared/indexes/FileIndexer.ts'
import { blockMapTail } from '#shared/indexes/blockMap/openBlockMap.ts'
import { checkDatasetReferences } from './checkDatasetReferences.ts'
import type { DatasetSettings } from './DatasetSettings.ts'
import { maxManifestBytes, readManifest, type Digests, type Manifest, type StoredObject } from './Manifest.ts'
import { baseKey, isManifestKey, isPartOf, manifestKey, partKey, type UploadName } from './names.ts'
import type { ObjectInfo, ObjectStore } from './ports/ObjectStore.ts'
import { bodyOf, isPreconditionFailed, placeManifest, type PlacedOver } from './placeManifest.ts'
import { SealedWriter, type BodyWriter } from './SealedWriter.ts'
import type { VaultPorts } from './VaultPorts.ts'

export interface PublicationOf {
  readonly name: UploadName
  readonly id: string
  readonly format: Format
  readonly upload: ObjectInfo
  readonly settings: DatasetSettings
}

export interface PublishedBody {
  /** Written whole, not yet complete. */
  readonly body: Pick<BodyWriter, 'complete'>
  /** Whether the completed body is left there where publishing fails: for whoever tries again. */
  readonly keepBody?: boolean
  readonly indexed: IndexedFile
  readonly digests: Digests
}

/** What there was under a file's keys when its ingest began, and what follows from it. Plain values: JSON holds them. */
export interface PublicationStart extends PlacedOver {
  /** Which generation of keys the new parts have. */
  readonly generation: string | undefined
}

export interface Publication {
  /** The manifest of this very upload where an earlier run got that far: nothing is left to do but to delete it. */
  readonly already: Manifest | undefined
  partKey(part: Parameters<typeof partKey>[1]): string
  /**
   * Completes the parts, and makes the manifest that names them.
   * @throws HtsvaultError REFERENCES_DIFFER, DICTIONARY_INVALID before anything is written
   */
  store(found: PublishedBody): Promise<Manifest>
  /**
   * Stores the parts and writes the manifest, in that order, then deletes what the file before it left.
   * @throws HtsvaultError PRECONDITION_FAILED where another run published in the meantime; that one's file stands
   */
  publish(found: PublishedBody): Promise<Manifest>
}

/**
 * Looks at what there is under a file's keys, and chooses the new parts' keys so that nothing is overwritten.
 *
 * What is there at this moment, a file being replaced or a dead run's leftovers, is deleted only after our manifest
 * took the place of the one seen here: a rival that began before fails at its own manifest, one that begins later
 * uses other keys.
 */
export async function beginPublication(ports: VaultPorts, of: PublicationOf): Promise<Publication> {
  const { already, ...start } = await startPublication(ports.vault, of)
  return { already, ...publicationFrom(ports, of, start) }
}

/** What `beginPublication` looks at and chooses, for a publication that another process ends. */
export async function startPublication(
  vault: ObjectStore,
  of: Pick<PublicationOf, 'id' | 'format' | 'upload'>,
): Promise<PublicationStart & Pick<Publication, 'already'>> {
  const base = baseKey(of.id, of.format)
  const key = manifestKey(base)
  const before = await vault.get(key, maxManifestBytes)
  const leftovers: string[] = []
  for await (const object of vault.list(base))
    if (!isManifestKey(object.key) && isPartOf(base, object.key)) leftovers.push(object.key)
  const replaces = before && bodyOf(before.bytes, key)
  return {
    already: before && sameUpload(before.bytes, key, of.upload),
    before: before?.info.etag,
    ...(replaces && { replaces }),
    leftovers,
    generation: leftovers.length === 0 ? undefined : newGeneration(),
  }
}

export const newGeneration = (): string => `g${randomBytes(4).toString('hex')}`

/** The publication that was started so. */
export function publicationFrom(
  ports: VaultPorts,
  of: PublicationOf,
  start: PublicationStart,
): Omit<Publication, 'already'> {
  const { vault } = ports
  const { generation } = start
  const base = baseKey(of.id, of.format)
  const encrypted = of.settings.encryption === 'crypt4gh'
  const keyOf = (part: Parameters<typeof partKey>[1]) => partKey(base, part, { encrypted, generation })

  const store = async ({ body, keepBody = false, indexed, digests }: PublishedBody): Promise<Manifest> => {
    await checkDatasetReferences(vault, of.name.dataset, of.settings, indexed.references)
    const made: { body?: StoredObject; index?: Manifest['index']; blockMap?: Manifest['blockMap'] } = {}
    try {
      const { kind, bytes } = indexed.index
      made.index = { ...(await SealedWriter.whole(ports, keyOf(kind), of.settings, bytes)), kind }
      made.blockMap = {
        ...(await SealedWriter.whole(ports, keyOf('blockmap'), of.settings, indexed.blockMap)),
        tail: blockMapTail(indexed.blockMap),
      }
      const completed = await body.complete()
      if (!keepBody) made.body = completed
      return {
        version: 1,
        id: of.id,
        dataset: of.name.dataset,
        name: of.name.name,
        format: of.format,
        formatVersion: indexed.formatVersion,
        encryption: of.settings.encryption,
        upload: { etag: of.upload.etag, modified: of.upload.modified.toISOString() },
        ...digests,
        index: made.index,
        blockMap: made.blockMap,
        body: completed,
        sortOrder: 'coordinate',
        references: indexed.references.length,
        records: indexed.records,
        unplacedRecords: indexed.unplacedRecords,
        ingested: new Date().toISOString(),
      }
    } catch (error) {
      // What this run completed is its own: every part is created only where there was none.
      await discardParts(vault, made)
      throw error
    }
  }

  return {
    partKey: keyOf,
    store,
    async publish(found) {
      const manifest = await store(found)
      try {
        return await placeManifest(ports, manifest, start)
      } catch (error) {
        // Only where it is certain: a manifest whose writing failed for another reason may be there all the same.
        if (isPreconditionFailed(error)) await discardParts(vault, manifest)
        throw error
      }
    },
  }
}

/** Deletes parts that no manifest names, nor will; what cannot be deleted, the file's next ingest deletes. */
export async function discardParts(
  vault: ObjectStore,
  parts: Partial<Pick<Manifest, 'body' | 'index' | 'blockMap'>>,
): Promise<void> {
  for (const part of [parts.body, parts.index, parts.blockMap])
    if (part) await vault.delete(part.key).catch(() => false)
}

function sameUpload(bytes: Uint8Array, key: string, upload: ObjectInfo): Manifest | undefined {
  let manifest: Manifest
  try {
    manifest = readManifest(bytes, key)
  } catch {
    return undefined // Unreadable: this upload replaces it.
  }
  const same =
    manifest.upload.etag === upload.etag && manifest.upload.modified === upload.modified.toISOString()
  return same ? manifest : undefined
}
