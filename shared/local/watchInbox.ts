import { isRefusalKey, refusalKey } from '#shared/vault/names.ts'
import type { ObjectInfo, ObjectStore } from '#shared/vault/ports/ObjectStore.ts'

export interface InboxCallbacks {
  /** A version of an upload that has stopped growing; called once for each. */
  onFile(upload: ObjectInfo): void
  /** The same for a version that was refused before: the report beside it says so. */
  onRefused?(upload: ObjectInfo, report: unknown): void
  /** A look failed; the next one comes all the same. */
  onError?(error: unknown): void
}

/** What is known of the version of a file that the last look found. */
interface Seen {
  readonly etag: string
  readonly state: 'moving' | 'told' | 'refused'
}

/** The largest refusal that is read, in bytes. */
const maxRefusalBytes = 1 << 20

/**
 * Looks through the inbox, and tells what has come to rest since the look before: the same etag both times.
 *
 * A refused version whose report is taken away is told of anew: that is how one asks for another try.
 */
export function inboxLook(inbox: ObjectStore, callbacks: InboxCallbacks): () => Promise<void> {
  let seen = new Map<string, Seen>()
  /** The refusals, by their own etags: each is read once. */
  let refusals = new Map<string, { readonly etag: string; readonly report: unknown }>()

  const readRefusals = async (found: readonly ObjectInfo[]) => {
    const next: typeof refusals = new Map()
    for (const { key, etag } of found) {
      const known = refusals.get(key)
      next.set(key, known?.etag === etag ? known : { etag, report: await readReport(inbox, key) })
    }
    refusals = next
  }

  const judge = (upload: ObjectInfo): Seen['state'] => {
    const before = seen.get(upload.key)
    if (before?.etag !== upload.etag) return 'moving'
    const report = refusals.get(refusalKey(upload.key))?.report
    const refused = etagOf(report) === upload.etag
    if (refused) {
      if (before.state === 'moving') callbacks.onRefused?.(upload, report)
      return 'refused'
    }
    if (before.state !== 'told') callbacks.onFile(upload)
    return 'told'
  }

  return async () => {
    const uploads: ObjectInfo[] = []
    const reports: ObjectInfo[] = []
    for await (const info of inbox.list('')) (isRefusalKey(info.key) ? reports : uploads).push(info)
    await readRefusals(reports)
    seen = new Map(uploads.map(upload => [upload.key, { etag: upload.etag, state: judge(upload) }] as const))
  }
}

async function readReport(inbox: ObjectStore, key: string): Promise<unknown> {
  const object = await inbox.get(key, maxRefusalBytes).catch(() => undefined)
  try {
    return object && (JSON.parse(new TextDecoder().decode(object.bytes)) as unknown)
  } catch {
    // Not one of ours, or not whole: the file is then taken in again.
    return undefined
  }
}

const etagOf = (report: unknown): unknown =>
  typeof report === 'object' && report !== null && 'etag' in report ? report.etag : undefined

export interface InboxWatch {
  /** Ends the watch; resolves when a look under way has ended, and no callback comes after. */
  close(): Promise<void>
}

/**
 * Watches an inbox by looking through it every half second: a new or changed file is told of within two seconds of its
 * last byte, also on network disks, whose own notices cannot be relied on.
 */
export function watchInbox(
  inbox: ObjectStore,
  callbacks: InboxCallbacks,
  { everyMs = 500 }: { readonly everyMs?: number } = {},
): InboxWatch {
  const look = inboxLook(inbox, callbacks)
  let closed = false
  let timer: NodeJS.Timeout | undefined
  const again = async () => {
    await look().catch((error: unknown) => callbacks.onError?.(error))
    if (!closed) timer = setTimeout(run, everyMs)
  }
  let looking = Promise.resolve()
  const run = () => {
    looking = again()
  }
  run()
  return {
    async close() {
      closed = true
      clearTimeout(timer)
      await looking
    },
  }
}
