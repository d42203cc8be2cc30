import { createHash } from 'node:crypto'
import { HtsvaultError, type ErrorReport } from '#shared/errors.ts'
import { openIndexLane } from '#shared/indexes/openIndexLane.ts'
import { recogniseFormat } from '#shared/indexes/recogniseFormat.ts'
import { fileReady, fileRefused } from './announcement.ts'
import { headerCheck } from './checkDatasetReferences.ts'
import { readDatasetSettings } from './DatasetSettings.ts'
import { keepBody } from './keepBody.ts'
import type { Manifest } from './Manifest.ts'
import { fileId, parseUploadKey, refusalKey } from './names.ts'
import { openUpload, type OpenedUpload } from './openUpload.ts'
import type { ObjectInfo } from './ports/ObjectStore.ts'
import { beginPublication, type PublicationOf } from './publication.ts'
import { SealedWriter } from './SealedWriter.ts'
import type { VaultPorts } from './VaultPorts.ts'

/** How an ingest ended. `started`: the file is large, and others go on with it. */
export type IngestOutcome = IngestEnd | { readonly state: 'started' }

/** How an upload ended. `gone`: there is nothing under that key (any more), as after a repeated event. */
export type IngestEnd =
  | { readonly state: 'served'; readonly manifest: Manifest }
  | { readonly state: 'refused'; readonly report: ErrorReport }
  | { readonly state: 'gone' }

/** A refusal, as it is kept beside the upload. */
export interface Refusal extends ErrorReport {
  readonly file: string
  /** Which version of the upload was refused. */
  readonly etag: string
  readonly at: string
}

/** Errors of the world around a file: another try may go better, the file is not to blame. */
const transientCodes = new Set([
  'STORE_UNAVAILABLE',
  'STORE_FORBIDDEN',
  'UPLOAD_ENDED',
  'UPLOAD_INCOMPLETE',
  'SHARD_CORRUPT',
  'WORK_CORRUPT',
  'KEY_UNAVAILABLE',
  'KEY_FILE_OPEN',
  'OBJECT_CHANGED',
  'OBJECT_GONE',
  'SHORT_READ',
  'PRECONDITION_FAILED',
  'ANNOUNCEMENT_FAILED',
])

const isRefusal = (error: unknown): error is HtsvaultError =>
  error instanceof HtsvaultError && !transientCodes.has(error.code)

/**
 * Takes one upload into the vault: checks, indexes, digests and encrypts it in one pass, publishes it, and deletes
 * it from the inbox. A body that is Crypt4GH for the vault already is decrypted in memory, and kept as it came. A file
 * that cannot be served stays there with `<key>.refused.json` beside it. A large one is left to others.
 *
 * Safe to repeat, to run twice at once, and to kill at any point: nothing is visible before the manifest, and the
 * upload is deleted after it.
 * @throws whatever is not the file's fault (an outage, a race that was lost): the event is to be tried again
 */
export async function ingestUpload(ports: VaultPorts, key: string): Promise<IngestOutcome> {
  const upload = await ports.inbox.head(key)
  if (upload === undefined) return { state: 'gone' }
  if (ports.large && upload.size >= ports.large.from) {
    await ports.large.start(upload)
    return { state: 'started' }
  }
  try {
    return await endServed(ports, upload, await takeIn(ports, upload))
  } catch (error) {
    return await endRefused(ports, upload, error)
  }
}

/** Ends an ingest whose manifest stands: tells it, and deletes the upload and what was written beside it. */
export async function endServed(
  ports: VaultPorts,
  { key, etag }: Pick<ObjectInfo, 'key' | 'etag'>,
  manifest: Manifest,
): Promise<IngestEnd> {
  // While the upload is there, another try announces again: whoever listens hears of every file.
  await ports.announcements?.announce(fileReady(manifest))
  await ports.inbox.delete(refusalKey(key))
  await ports.inbox.delete(key, etag)
  return { state: 'served', manifest }
}

/** Ends an ingest whose file is to blame: writes the reason beside the upload. @throws any other error, as it is */
export async function endRefused(
  ports: VaultPorts,
  upload: Pick<ObjectInfo, 'key' | 'etag'>,
  error: unknown,
): Promise<IngestEnd> {
  if (!isRefusal(error)) throw error
  const report = error.at({ file: upload.key }).toReport()
  await writeRefusal(ports, upload, report)
  await ports.announcements?.announce(fileRefused(upload, report))
  return { state: 'refused', report }
}

async function writeRefusal(
  ports: VaultPorts,
  upload: Pick<ObjectInfo, 'key' | 'etag'>,
  report: ErrorReport,
): Promise<void> {
  const refusal: Refusal = { ...report, file: upload.key, etag: upload.etag, at: new Date().toISOString() }
  const bytes = new TextEncoder().encode(`${JSON.stringify(refusal, null, 2)}\n`)
  await ports.inbox.put(refusalKey(upload.key), bytes)
}

async function takeIn(ports: VaultPorts, upload: ObjectInfo): Promise<Manifest> {
  const name = parseUploadKey(upload.key)
  const settings = await readDatasetSettings(ports.vault, name.dataset)
  const opened = await openUpload(ports, upload, settings)
  try {
    return await takeInOpened(ports, { name, upload, settings }, opened)
  } finally {
    opened.forget()
  }
}

async function takeInOpened(
  ports: VaultPorts,
  of: Pick<PublicationOf, 'name' | 'upload' | 'settings'>,
  { prefix, plain, sealed }: OpenedUpload,
): Promise<Manifest> {
  const { name, upload, settings } = of
  const target = await beginPublication(ports, { ...of, id: fileId(name), format: recogniseFormat(prefix) })
  if (target.already) return target.already

  const key = target.partKey('body')
  const kept = sealed?.asItIs && { upload, dataKey: sealed.opened.dataKeys[0]!, start: sealed.start }
  const keeping = kept ? await keepBody(ports, key, settings, kept) : undefined
  const source = plain(keeping?.seen)
  const body = keeping ?? (await SealedWriter.begin(ports, key, settings, source.size))
  // The lane last: where the settings name no real recipient, no thread is left waiting for chunks.
  const lane = openIndexLane(source.size)
  try {
    const checkHeader = headerCheck(ports.vault, name.dataset, settings)
    const digests = { sha256: createHash('sha256'), md5: createHash('md5') }
    for await (const chunk of source.stream(0, source.size, { reuse: true })) {
      await checkHeader(chunk)
      // The lane first: it may work on the chunk in its own thread while this one digests and encrypts it.
      await lane.push(chunk)
      digests.sha256.update(chunk)
      digests.md5.update(chunk)
      await body.write(chunk)
    }
    return await target.publish({
      body,
      indexed: await lane.finish(),
      digests: { sha256: digests.sha256.digest('hex'), md5: digests.md5.digest('hex') },
    })
  } finally {
    await lane.close()
    await body.abort()
  }
}
