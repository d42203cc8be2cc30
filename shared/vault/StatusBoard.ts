import { HtsvaultError, type ErrorReport } from '#shared/errors.ts'
import type { Format } from '#shared/indexes/FileIndexer.ts'
import {
  fileId,
  isManifestKey,
  isRefusalKey,
  manifestEnding,
  parseUploadKey,
  refusalEnding,
} from './names.ts'
import { maxManifestBytes, readManifest, type Manifest } from './Manifest.ts'
import type { Refusal } from './ingestUpload.ts'
import type { VaultPorts } from './VaultPorts.ts'

/** `failed`: for no fault of the file, but it is not tried again before the next start. */
export type FileState = 'received' | 'ingesting' | 'served' | 'refused' | 'failed'

/** What is known of one file, for `GET /status` and the terminal. */
export interface FileStatus extends Partial<ErrorReport> {
  readonly dataset: string
  readonly name: string
  readonly state: FileState
  /** Length of the file as it was uploaded. */
  readonly bytes: number
  /** The htsget id. */
  readonly id?: string
  readonly format?: Format
  readonly records?: number
  /** Of a file that is taken in by shards: how many are done. */
  readonly shards?: { readonly done: number; readonly of: number }
  /** When it came into this state. */
  readonly since: string
}

/** The states of all files of one vault, held in memory and rebuilt from the stores at start. */
export class StatusBoard {
  readonly #files = new Map<string, FileStatus>()
  readonly #watchers: ((status: FileStatus) => void)[] = []

  /** What the stores show: manifests are served files, refusals refused ones. Uploads are told of by whoever finds them. */
  static async from({ inbox, vault }: VaultPorts): Promise<StatusBoard> {
    const board = new StatusBoard()
    for await (const { key } of vault.list('')) {
      if (!isManifestKey(key)) continue
      const object = await vault.get(key, maxManifestBytes)
      if (object) board.#readManifest(object.bytes, key)
    }
    for await (const { key } of inbox.list('')) {
      if (!isRefusalKey(key)) continue
      const uploadKey = key.slice(0, -refusalEnding.length)
      const upload = await inbox.head(uploadKey)
      const refusal = await inbox.get(key, 1 << 20)
      if (!upload || !refusal) continue
      const report = readRefusal(refusal.bytes)
      if (report?.etag === upload.etag) board.set(uploadKey, 'refused', upload.size, pickReport(report))
    }
    return board
  }

  /** A manifest that cannot be read is a file with a status of its own: it does not keep the others from being served. */
  #readManifest(bytes: Uint8Array, key: string): void {
    try {
      this.served(readManifest(bytes, key))
    } catch (error) {
      if (!(error instanceof HtsvaultError)) throw error
      this.set(key.slice(0, -manifestEnding.length), 'refused', 0, error.toReport())
    }
  }

  onChange(watcher: (status: FileStatus) => void): void {
    this.#watchers.push(watcher)
  }

  set(uploadKey: string, state: Exclude<FileState, 'served'>, bytes: number, report?: ErrorReport): void {
    this.#put({ ...nameOf(uploadKey), state, bytes, since: new Date().toISOString(), ...report })
  }

  /** Tells how far the ingest of a file is. */
  progress(uploadKey: string, done: number, of: number): void {
    const status = this.get(uploadKey)
    if (status?.state === 'ingesting') this.#put({ ...status, shards: { done, of } })
  }

  served(manifest: Manifest): void {
    const { dataset, name, id, format, records } = manifest
    this.#put({
      dataset,
      name,
      state: 'served',
      bytes: manifest.body.plainSize,
      id,
      format,
      records,
      since: manifest.ingested,
    })
  }

  /** Takes an upload off the board unless it is served: it went away without an end. */
  forget(uploadKey: string): void {
    const { dataset, name } = nameOf(uploadKey)
    const key = `${dataset}/${name}`
    if (this.#files.get(key)?.state !== 'served') this.#files.delete(key)
  }

  get(uploadKey: string): FileStatus | undefined {
    const { dataset, name } = nameOf(uploadKey)
    return this.#files.get(`${dataset}/${name}`)
  }

  /** One entry a file, ordered by dataset and name. */
  list(): FileStatus[] {
    return [...this.#files.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, status]) => status)
  }

  #put(status: FileStatus): void {
    this.#files.set(`${status.dataset}/${status.name}`, status)
    for (const watcher of this.#watchers) watcher(status)
  }
}

/** What somebody else wrote there, or cut off, is no refusal: the upload is then taken in again. */
function readRefusal(bytes: Uint8Array): Refusal | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Refusal
  } catch {
    return undefined
  }
}

const pickReport = ({ code, message, place, hint }: ErrorReport): ErrorReport => ({
  code,
  message,
  ...(place && { place }),
  ...(hint !== undefined && { hint }),
})

/** A file that lies in no dataset has a status too: its name is all there is. */
function nameOf(uploadKey: string): { dataset: string; name: string; id?: string } {
  try {
    const name = parseUploadKey(uploadKey)
    return { ...name, id: fileId(name) }
  } catch {
    const slash = uploadKey.indexOf('/')
    return slash === -1
      ? { dataset: '', name: uploadKey }
      : { dataset: uploadKey.slice(0, slash), name: uploadKey.slice(slash + 1) }
  }
}
