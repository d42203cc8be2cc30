import { openPackets } from '#shared/crypt4gh/header/openPackets.ts'
import { readHeader } from '#shared/crypt4gh/header/readHeader.ts'
import { reencryptHeader } from '#shared/crypt4gh/header/reencryptHeader.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { wipe } from '#shared/crypt4gh/wipe.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { datasetReaders, readDatasetSettings } from './DatasetSettings.ts'
import { pairsOf } from './keyRing.ts'
import {
  maxManifestBytes,
  readManifest,
  writeManifest,
  type Manifest,
  type StoredObject,
} from './Manifest.ts'
import { isManifestKey } from './names.ts'
import type { KeyRing } from './ports/KeyStore.ts'
import type { ObjectStore } from './ports/ObjectStore.ts'
import type { VaultPorts } from './VaultPorts.ts'

/** What a pass over manifests did. */
export interface RekeyProgress {
  readonly rekeyed: number
  /** Nothing to do: they are as they should be, or not encrypted. */
  readonly unchanged: number
  /** Manifests that could not be re-keyed, and why: the first hundred. */
  readonly failed: readonly { readonly key: string; readonly code: string }[]
  readonly failures: number
  /** Where to go on; absent where the pass came to its end. */
  readonly after?: string
}

export interface RekeyOptions {
  /** Go on behind this key. */
  readonly after?: string | undefined
  /** Whether to stop here, to be called again. */
  readonly stop?: () => boolean
}

/** Manifests on their way at once. */
const batch = 16

/** How often a manifest is tried that somebody else writes at the same time. */
const maxTries = 5

const maxFailures = 100

/**
 * Writes the Crypt4GH headers of all manifests anew where an older key of the vault still opens one: for the pair in
 * force, and for the same recipients as before. Bodies stay as they are.
 *
 * Safe to repeat, to run twice at once and beside ingests, and to kill at any point: a manifest is changed as a whole
 * or not at all, and both headers open until the older pair is taken out of use.
 */
export async function rekeyForKey(ports: VaultPorts, options: RekeyOptions = {}): Promise<RekeyProgress> {
  const ring = await ports.keys.keyPair()
  return rekeyAll(ports.vault, '', options, header => renewed(header, ring))
}

/**
 * A manifest whose headers are for the pair in force; undefined where no older pair opens any of them.
 * @throws HtsvaultError where no pair of the ring opens one
 */
export const renewHeaders = (manifest: Manifest, ring: KeyRing): Manifest | undefined =>
  changed(manifest, header => renewed(header, ring))

/**
 * Writes the headers of a dataset's files for the recipients that its settings name now, and for nobody else.
 * @throws HtsvaultError DATASET_SETTINGS_INVALID
 */
export async function rekeyDataset(
  ports: VaultPorts,
  dataset: string,
  options: RekeyOptions = {},
): Promise<RekeyProgress> {
  const ring = await ports.keys.keyPair()
  const recipients = datasetReaders(await readDatasetSettings(ports.vault, dataset), ring.publicKey)
  return rekeyAll(ports.vault, `${dataset}/`, options, header =>
    reencryptHeader(readHeader(header), { keys: pairsOf(ring), recipients, keepOthers: false }, nodeBackend),
  )
}

type Change = (header: Uint8Array) => Uint8Array | undefined

async function rekeyAll(
  vault: ObjectStore,
  prefix: string,
  { after = '', stop = () => false }: RekeyOptions,
  change: Change,
): Promise<RekeyProgress> {
  const counts = { rekeyed: 0, unchanged: 0 }
  const failed: { key: string; code: string }[] = []
  let failures = 0
  const work = async (keys: readonly string[]) => {
    await Promise.all(
      keys.map(async key => {
        try {
          counts[await rekeyManifest(vault, key, change)]++
        } catch (error) {
          // One manifest that cannot be read does not keep the others from their new key; an outage ends the pass.
          if (!(error instanceof HtsvaultError) || isOutage(error)) throw error
          if (failures++ < maxFailures) failed.push({ key, code: error.code })
        }
      }),
    )
  }
  let waiting: string[] = []
  for await (const { key } of vault.list(prefix)) {
    if (!isManifestKey(key) || !isBehind(key, after)) continue
    waiting.push(key)
    if (waiting.length < batch) continue
    await work(waiting)
    waiting = []
    if (stop()) return { ...counts, failed, failures, after: key }
  }
  await work(waiting)
  return { ...counts, failed, failures }
}

/** Stores list in the order of UTF-8 bytes. */
const isBehind = (key: string, after: string) => Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0

const isOutage = ({ code }: HtsvaultError) =>
  code === 'STORE_UNAVAILABLE' || code === 'STORE_FORBIDDEN' || code === 'KEY_UNAVAILABLE'

async function rekeyManifest(
  vault: ObjectStore,
  key: string,
  change: Change,
): Promise<'rekeyed' | 'unchanged'> {
  for (let tries = 1; ; tries++) {
    const object = await vault.get(key, maxManifestBytes)
    // It was deleted since it was listed.
    if (object === undefined) return 'unchanged'
    const manifest = changed(readManifest(object.bytes, key), change)
    if (manifest === undefined) return 'unchanged'
    try {
      await vault.put(key, writeManifest(manifest), { ifMatch: object.info.etag })
      return 'rekeyed'
    } catch (error) {
      const raced = error instanceof HtsvaultError && error.code === 'PRECONDITION_FAILED'
      if (!raced || tries === maxTries) throw error
    }
  }
}

/** The manifest with new headers; undefined where none of them changes. */
function changed(manifest: Manifest, change: Change): Manifest | undefined {
  const { body, index, blockMap } = manifest
  const parts = {
    body: renewPart(body, change),
    index: renewPart(index, change),
    blockMap: renewPart(blockMap, change),
  }
  const same = parts.body === body && parts.index === index && parts.blockMap === blockMap
  return same ? undefined : { ...manifest, ...parts }
}

function renewPart<Part extends StoredObject>(part: Part, change: Change): Part {
  const header = part.header === undefined ? undefined : change(Buffer.from(part.header, 'base64'))
  return header === undefined ? part : { ...part, header: Buffer.from(header).toString('base64') }
}

/** The header for the pair in force, other readers' packets kept; undefined where no older pair opens anything in it. */
function renewed(bytes: Uint8Array, ring: KeyRing): Uint8Array | undefined {
  const header = readHeader(bytes)
  const keys = pairsOf(ring)
  const { opened } = openPackets(header, keys, nodeBackend)
  wipe(...opened.map(({ payload }) => payload))
  if (opened.length > 0 && opened.every(({ key }) => key === 0)) return undefined
  return reencryptHeader(header, { keys, recipients: [ring.publicKey] }, nodeBackend)
}
