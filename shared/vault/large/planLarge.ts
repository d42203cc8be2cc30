import type { ByteSource } from '#shared/bytes/ByteSource.ts'
import { randomBytes } from '#shared/crypt4gh/Backend.ts'
import { writeHeader } from '#shared/crypt4gh/header/writeHeader.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { wipe } from '#shared/crypt4gh/wipe.ts'
import { recogniseFormat } from '#shared/indexes/recogniseFormat.ts'
import type { FileHeader } from '#shared/indexes/scan/FileHeader.ts'
import { HeaderReader } from '#shared/indexes/shards/HeaderReader.ts'
import { shardFacts } from '#shared/indexes/shards/ShardTask.ts'
import { checkDatasetReferences } from '../checkDatasetReferences.ts'
import { datasetReaders, readDatasetSettings, type DatasetSettings } from '../DatasetSettings.ts'
import { endRefused, endServed, type IngestEnd } from '../ingestUpload.ts'
import type { Manifest } from '../Manifest.ts'
import { fileId, parseUploadKey } from '../names.ts'
import { isPreconditionFailed } from '../placeManifest.ts'
import type { ObjectInfo } from '../ports/ObjectStore.ts'
import { openUpload, type OpenedUpload, type SealedUpload } from '../openUpload.ts'
import { newGeneration, publicationFrom, startPublication, type PublicationOf } from '../publication.ts'
import type { VaultPorts } from '../VaultPorts.ts'
import { cutsFor, shardCount, type LargeCuts, type LargePlan, type PlannedSealed } from './LargePlan.ts'
import { WorkFolder } from './WorkFolder.ts'

/** Which upload, of which version, and the name of the work on it. */
export interface LargeIngest {
  readonly work: string
  readonly key: string
  readonly etag: string
}

export type LargePlanned = { readonly state: 'planned'; readonly shards: number } | IngestEnd

/**
 * Begins the ingest of a large file: looks at what there is, reads its header, and leaves a plan for the workers. Safe
 * to repeat: the plan that is there stands.
 * @throws whatever is not the file's fault
 */
export async function planLarge(
  ports: VaultPorts,
  { work, key, etag }: LargeIngest,
  cuts: (size: number) => LargeCuts = cutsFor,
): Promise<LargePlanned> {
  const folder = new WorkFolder(ports, work)
  const planned = await folder.plan()
  if (planned?.end?.state === 'abandoned') return { state: 'gone' }
  if (planned) return { state: 'planned', shards: shardCount(planned) }
  const upload = await ports.inbox.head(key)
  if (upload?.etag !== etag) return { state: 'gone' }
  try {
    const plan = await makePlan(ports, upload, cuts)
    if ('already' in plan) return await endServed(ports, upload, plan.already)
    try {
      await folder.begin(plan)
      return { state: 'planned', shards: shardCount(plan) }
    } catch (error) {
      await ports.vault.parts.abort(plan.body.key, plan.body.upload)
      const other = isPreconditionFailed(error) ? await folder.plan() : undefined
      if (!other) throw error
      return { state: 'planned', shards: shardCount(other) }
    }
  } catch (error) {
    return await endRefused(ports, upload, error)
  }
}

async function makePlan(
  ports: VaultPorts,
  upload: ObjectInfo,
  cuts: (size: number) => LargeCuts,
): Promise<LargePlan | { readonly already: Manifest }> {
  const name = parseUploadKey(upload.key)
  const settings = await readDatasetSettings(ports.vault, name.dataset)
  const opened = await openUpload(ports, upload, settings)
  try {
    return await planOpened(ports, { name, upload, settings }, opened, cuts)
  } finally {
    opened.forget()
  }
}

async function planOpened(
  ports: VaultPorts,
  { name, upload, settings }: Pick<PublicationOf, 'name' | 'upload' | 'settings'>,
  { prefix, plain, sealed }: OpenedUpload,
  cuts: (size: number) => LargeCuts,
): Promise<LargePlan | { readonly already: Manifest }> {
  const id = fileId(name)
  const format = recogniseFormat(prefix)
  const of = { name, id, format, upload, settings }
  const { already, ...found } = await startPublication(ports.vault, of)
  if (already) return { already }

  const source = plain()
  const fileHeader = await readFileHeader(source)
  // The shards may find more of them, in a VCF; most files that do not fit are told here, before any work.
  await checkDatasetReferences(ports.vault, name.dataset, settings, fileHeader.references)
  // Keys that nobody else has, so that whatever lies under them is this ingest's.
  const start = { ...found, generation: newGeneration() }
  const header = await bodyHeader(ports, settings, sealed)
  const key = publicationFrom(ports, of, start).partKey('body')
  return {
    version: 1,
    upload: { ...upload, modified: upload.modified.toISOString() },
    plainSize: source.size,
    ...(sealed && { sealed: await plannedSealed(ports, sealed) }),
    name,
    id,
    format,
    settings,
    start,
    ...cuts(source.size),
    ...(header && { header: Buffer.from(header).toString('base64') }),
    facts: shardFacts(fileHeader),
    firstRecord: fileHeader.end,
    began: new Date().toISOString(),
    // Last: where anything before fails, there is nothing to abort.
    body: { key, upload: await ports.vault.parts.begin(key) },
  }
}

/** The header of an upload's file, of its plain bytes. @throws HtsvaultError what one pass throws up to there */
export async function readFileHeader(plain: ByteSource): Promise<FileHeader> {
  const reader = new HeaderReader()
  for await (const chunk of plain.stream(0, plain.size, { reuse: true })) {
    const header = reader.push(chunk)
    if (header) return header
  }
  return reader.finish()
}

/** Whose data key is the upload's own where its body is kept. */
async function bodyHeader(
  { keys }: VaultPorts,
  settings: DatasetSettings,
  sealed: SealedUpload | undefined,
): Promise<Uint8Array | undefined> {
  if (settings.encryption === 'none') return undefined
  const dataKey = sealed?.asItIs ? sealed.opened.dataKeys[0]!.slice() : randomBytes(32, nodeBackend)
  try {
    const recipients = datasetReaders(settings, (await keys.keyPair()).publicKey)
    return writeHeader({ dataKeys: [dataKey], recipients }, nodeBackend)
  } finally {
    wipe(dataKey)
  }
}

async function plannedSealed(
  { keys }: VaultPorts,
  { opened, start, asItIs }: SealedUpload,
): Promise<PlannedSealed> {
  const recipients = [(await keys.keyPair()).publicKey]
  const header = writeHeader({ ...opened, recipients }, nodeBackend)
  return { start, header: Buffer.from(header).toString('base64'), kept: asItIs }
}
