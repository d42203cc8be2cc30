import type { ByteRange } from '#shared/bytes/ByteRange.ts'
import { pairsOf } from './keyRing.ts'
import { randomBytes } from '#shared/crypt4gh/Backend.ts'
import { isPortable } from '#shared/crypt4gh/editList.ts'
import { openHeader } from '#shared/crypt4gh/header/openHeader.ts'
import { readHeader } from '#shared/crypt4gh/header/readHeader.ts'
import { writeHeader } from '#shared/crypt4gh/header/writeHeader.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { rearrange } from '#shared/crypt4gh/rearrange.ts'
import { cipherSegmentBytes, plainSize, segmentBytes } from '#shared/crypt4gh/sizes.ts'
import { wipe } from '#shared/crypt4gh/wipe.ts'
import type { Piece, PlanLimits } from '#shared/htsget/planTicket.ts'
import { dataUri, type TicketUrl } from '#shared/htsget/writeTicket.ts'
import type { DataGrant } from './dataTokens.ts'
import type { Manifest, StoredObject } from './Manifest.ts'
import { openStored } from './openStored.ts'
import { partSize, plainParts, sliceParts } from './plainParts.ts'
import { saltBytes, sliceKeys } from './sliceKeys.ts'
import type { VaultPorts } from './VaultPorts.ts'

/** What a grant says besides the file. */
type Unit<T> = T extends DataGrant ? Omit<T, 'manifestKey' | 'etag'> : never

export interface EncryptedTicket {
  /** Public keys. */
  readonly recipients: readonly Uint8Array[]
  /** The query's plan, by these limits of its own. */
  readonly plan: (limits: Partial<PlanLimits>) => Promise<readonly Piece[]>
  readonly limits: PlanLimits
  /** Never the stored segments, whose key opens the rest of the file too. */
  readonly freshKeys: boolean
  /** Whether the client takes URLs that are asked for with headers, and answer 206. */
  readonly storageUrls: boolean
  /** How long a URL is good for. */
  readonly seconds: number
  /** The URL of what the data function is to send. */
  readonly urlOf: (grant: Unit<DataGrant>) => Promise<string>
}

/**
 * The URLs of a ticket of ciphertext: a Crypt4GH header for the recipients, then segments. The stored ones, straight from
 * storage, where the plan is whole blocks of the file and an edit list that every reader takes cuts them out; else
 * segments that the data function encrypts under a key of this ticket's own. No URL yields a plain byte.
 * @throws HtsvaultError of the stores, and of cutBgzf
 */
export async function encryptedUrls(
  ports: VaultPorts,
  manifest: Manifest,
  ticket: EncryptedTicket,
): Promise<TicketUrl[]> {
  const { body } = manifest
  const stored = ticket.freshKeys ? undefined : await planStored(ports, body, ticket)
  return stored ? storedUrls(ports, body, stored, ticket) : freshUrls(ports, body, ticket)
}

interface StoredSlice {
  readonly header: Uint8Array
  /** Of the object. */
  readonly ranges: readonly ByteRange[]
}

async function planStored(
  { keys }: VaultPorts,
  body: StoredObject,
  { plan, recipients }: EncryptedTicket,
): Promise<StoredSlice | undefined> {
  if (body.header === undefined) return undefined
  // The file's own header: the one that stands in plain tickets may be other bytes, which are not in the storage.
  const ranges = fileRanges(await plan({ inlineBytes: 0 }), body.plainSize)
  if (!ranges) return undefined
  const opened = openHeader(
    readHeader(Buffer.from(body.header, 'base64')),
    pairsOf(await keys.keyPair()),
    nodeBackend,
  )
  try {
    const bodySize = body.size - body.bodyOffset
    const slice = rearrange(opened, { ranges, recipients, plainSize: plainSize(bodySize) }, nodeBackend)
    const sliceSize = plainSize(slice.body.reduce((sum, { start, end }) => sum + end - start, 0))
    const readable = slice.editList === undefined || isPortable(slice.editList, sliceSize)
    if (!readable || opened.dataKeys.length > 1) return undefined
    return {
      header: slice.header,
      ranges: slice.body.map(({ start, end }) => ({
        start: start + body.bodyOffset,
        end: end + body.bodyOffset,
      })),
    }
  } finally {
    wipe(...opened.dataKeys)
  }
}

/** Where in the file the pieces are; undefined where one is not bytes of the file as they are. */
function fileRanges(pieces: readonly Piece[], fileSize: number): ByteRange[] | undefined {
  const ranges = pieces.map(piece => {
    if (piece.kind === 'bytes') return { start: piece.start, end: piece.end }
    // The EOF marker, with which every file that was taken in ends.
    if (piece.kind === 'inline' && piece.class === 'body')
      return { start: fileSize - piece.bytes.length, end: fileSize }
    return undefined
  })
  return ranges.every(range => range !== undefined) ? ranges : undefined
}

/** htsget: a data block has at most about 1 GB. */
const storageBlockBytes = 1_000_000_000

/** More URLs are a burden for both sides: they get longer instead. */
const maxUrls = 2000

async function storedUrls(
  { vault }: VaultPorts,
  { key, etag }: StoredObject,
  { header, ranges }: StoredSlice,
  { limits, storageUrls, seconds, urlOf }: EncryptedTicket,
): Promise<TicketUrl[]> {
  const direct = storageUrls && vault.presign !== undefined
  const total = ranges.reduce((sum, { start, end }) => sum + end - start, 0)
  const step = direct ? storageBlockBytes : Math.max(limits.pieceBytes, Math.ceil(total / maxUrls))
  const urls: Promise<TicketUrl>[] = []
  for (const { start, end } of ranges)
    for (let at = start; at < end; at += step) {
      const to = Math.min(end, at + step)
      urls.push(
        direct
          ? vault.presign!(key, at, to, etag, seconds)
          : urlOf({ unit: 'stored', start: at, end: to }).then(url => ({ url })),
      )
    }
  return [{ url: dataUri(header) }, ...(await Promise.all(urls))]
}

/** So many parts fit into a URL that every server and client takes. */
const maxParts = 64

async function freshUrls(
  ports: VaultPorts,
  body: StoredObject,
  { plan, recipients, limits, urlOf }: EncryptedTicket,
): Promise<TicketUrl[]> {
  const parts = await plainParts(await plan({}), await openStored(ports, body))
  const total = parts.reduce((sum, part) => sum + partSize(part), 0)
  const segments = Math.ceil(total / segmentBytes)
  const step = Math.max(1, Math.floor(limits.pieceBytes / cipherSegmentBytes), Math.ceil(segments / maxUrls))

  const salt = randomBytes(saltBytes, nodeBackend)
  const { dataKey, nonceKey } = sliceKeys(await ports.keys.keyPair(), salt)
  const header = writeHeader({ dataKeys: [dataKey], recipients }, nodeBackend)
  wipe(dataKey, nonceKey)

  const urls: Promise<TicketUrl>[] = []
  for (let segment = 0; segment < segments;) {
    const start = segment * segmentBytes
    let count = step
    let wanted = sliceParts(parts, start, start + count * segmentBytes)
    if (wanted.length > maxParts) {
      const bytes = wanted.slice(0, maxParts).reduce((sum, part) => sum + partSize(part), 0)
      count = Math.max(1, Math.floor(bytes / segmentBytes))
      wanted = sliceParts(parts, start, start + count * segmentBytes)
    }
    urls.push(urlOf({ unit: 'sealed', salt, segment, parts: wanted }).then(url => ({ url })))
    segment += count
  }
  return [{ url: dataUri(header) }, ...(await Promise.all(urls))]
}
