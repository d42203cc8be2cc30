import { randomBytes } from 'node:crypto'
import type { Format, IndexedFile } from '#shared/indexes/FileIndexer.ts'
import { blockMapTail } from '#shared/indexes/blockMap/openBlockMap.ts'
import { checkDatasetReferences } from './checkDatasetReferences.ts'
import type { DatasetSettings } from './DatasetSettings.ts'
import { maxManifestBytes, readManifest, writeManifest, type Digests, type Manifest } from './Manifest.ts'
import { baseKey, isManifestKey, isPartOf, manifestKey, partKey, type UploadName } from './names.ts'
import type { ObjectInfo, ObjectStore } from './ports/ObjectStore.ts'
import { forgetManifest } from './recentManifests.ts'
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
export interface PublicationStart {
  /** The etag of the manifest that this one takes the place of. */
  readonly before: string | undefined
  /** Parts that are of no use once the new manifest stands. */
  readonly leftovers: readonly string[]
  /** Which generation of keys the new parts have. */
  readonly generation: string | undefined
}

export interface Publication {
  /** The manifest of this very upload where an earlier run got that far: nothing is left to do but to delete it. */
  readonly already: Manifest | undefined
  partKey(part: Parameters<typeof partKey>[1]): string
  /**
   * Completes the parts and writes the manifest, in that order, then deletes what the file before it left.
   * @throws HtsvaultError PRECONDITION_FAILED where another run published in the meantime; that one's file stands;
   * REFERENCES_DIFFER, DICTIONARY_INVALID before anything is written
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
  return {
    already: before && sameUpload(before.bytes, key, of.upload),
    before: before?.info.etag,
    leftovers,
    generation: leftovers.length === 0 ? undefined : newGeneration(),
  }
}

export const newGeneration = (): string => `g${randomBytes(4).toString('hex')}`

/** The publication that was started so. */
export function publicationFrom(
  ports: VaultPorts,
  of: PublicationOf,
  { before, leftovers, generation }: PublicationStart,
): Omit<Publication, 'already'> {
  const { vault } = ports
  const base = baseKey(of.id, of.format)
  const key = manifestKey(base)
  const encrypted = of.settings.encryption === 'crypt4gh'
  const keyOf = (part: Parameters<typeof partKey>[1]) => partKey(base, part, { encrypted, generation })

  return {
    partKey: keyOf,
    async publish({ body, keepBody = false, indexed, digests }) {
      await checkDatasetReferences(vault, of.name.dataset, of.settings, indexed.references)
      const made: string[] = []
      const keep = <T extends { key: string }>(part: T): T => {
        made.push(part.key)
        return part
      }
      try {
        const manifest: Manifest = {
          version: 1,
          id: of.id,
          dataset: of.name.dataset,
          name: of.name.name,
          format: of.format,
          formatVersion: indexed.formatVersion,
          encryption: of.settings.encryption,
          upload: { etag: of.upload.etag, modified: of.upload.modified.toISOString() },
          ...digests,
          index: {
            ...keep(
              await SealedWriter.whole(ports, keyOf(indexed.index.kind), of.settings, indexed.index.bytes),
            ),
            kind: indexed.index.kind,
          },
          blockMap: {
            ...keep(await SealedWriter.whole(ports, keyOf('blockmap'), of.settings, indexed.blockMap)),
            tail: blockMapTail(indexed.blockMap),
          },
          body: keepBody ? await body.complete() : keep(await body.complete()),
          sortOrder: 'coordinate',
          references: indexed.references.length,
          records: indexed.records,
          unplacedRecords: indexed.unplacedRecords,
          ingested: new Date().toISOString(),
        }
        await vault.put(
          key,
          writeManifest(manifest),
          before === undefined ? { ifAbsent: true } : { ifMatch: before },
        )
        forgetManifest(vault, of.id)
        for (const leftover of leftovers) await vault.delete(leftover)
        return manifest
      } catch (error) {
        // What this run completed is its own: every part is created only where there was none.
        for (const part of made) await vault.delete(part).catch(() => false)
        throw error
      }
    },
  }
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
