import { LRUCache } from 'lru-cache'
import { keepTail } from '#shared/bytes/keepTail.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { HtsgetError } from '#shared/htsget/HtsgetError.ts'
import { formatsOf, type HtsgetQuery } from '#shared/htsget/HtsgetQuery.ts'
import {
  defaultLimits,
  planHeader,
  planRuns,
  planWhole,
  type Piece,
  type PlanLimits,
} from '#shared/htsget/planTicket.ts'
import { resolveRegions } from '#shared/htsget/resolveRegions.ts'
import { dataUri, writeTicket, type TicketUrl } from '#shared/htsget/writeTicket.ts'
import { openBlockMap, type BlockMap } from '#shared/indexes/blockMap/openBlockMap.ts'
import { signDataToken } from './dataTokens.ts'
import { findManifest } from './findManifest.ts'
import type { Identity } from './Identity.ts'
import type { Manifest } from './Manifest.ts'
import { baseKey, manifestKey } from './names.ts'
import { openStored } from './openStored.ts'
import { perStore } from './perStore.ts'
import { forgetManifest, recentManifest } from './recentManifests.ts'
import type { VaultPorts } from './VaultPorts.ts'

export interface TicketOptions {
  /** Where data URLs begin, with a slash at the end: `https://host/stage/data/`. */
  readonly dataUrl: string
  /** How long a data URL is good for, in seconds. */
  readonly tokenSeconds?: number
  readonly limits?: Partial<PlanLimits>
  /** Who asks; absent where the vault knows nobody: a public one, or one that IAM guards. */
  readonly identity?: Identity
}

/** Time enough for a client that reads the pieces of a whole genome one after another. */
const defaultTokenSeconds = 3600

/** Of a block map what is read first: all of it up to a file of some GB, its directories up to some 100 GB. */
const mapTailBytes = 512 << 10

/** Block maps that were asked for lately, by the object's etag: it never changes. */
const openMaps = perStore(() => new LRUCache<string, Promise<BlockMap>>({ maxSize: 128 << 20 }))

/** What an open map may come to hold, in bytes: its end, and of its pages the 4 MiB used last. */
const sizeOf = ({ tail, plainSize }: Manifest['blockMap']) =>
  4 * tail + Math.min(plainSize, mapTailBytes + (4 << 20)) + 1

/**
 * The ticket for one request, JSON: manifest, some pages of the block map, plan, URLs.
 * @throws HtsgetError NotFound, UnsupportedFormat, InvalidInput; HtsvaultError of the stores
 */
export async function answerTicket(
  ports: VaultPorts,
  id: string,
  query: HtsgetQuery,
  options: TicketOptions,
): Promise<string> {
  if (query.encryptionScheme)
    throw new HtsgetError(
      'UnsupportedFormat',
      'this vault does not serve encrypted data by htsget yet; nothing is sent in its place',
    )
  try {
    return await ticketOf(ports, id, query, options)
  } catch (error) {
    if (!(error instanceof HtsvaultError && ['OBJECT_GONE', 'OBJECT_CHANGED'].includes(error.code)))
      throw error
    // The file was replaced since its manifest was read, and its block map went with it.
    forgetManifest(ports.vault, id)
    return ticketOf(ports, id, query, options)
  }
}

async function ticketOf(
  ports: VaultPorts,
  id: string,
  query: HtsgetQuery,
  options: TicketOptions,
): Promise<string> {
  const formats = query.format ? [query.format] : formatsOf[query.datatype]
  const manifest = await recentManifest(ports.vault, id, formats)
  if (!manifest) throw await notFound(ports, id, query)
  const map = await openMap(ports, manifest)
  const pieces = await plan(map, query, { ...defaultLimits, ...options.limits })
  return writeTicket(
    manifest.format,
    await Promise.all(pieces.map(piece => urlOf(piece, manifest, ports, options))),
  )
}

async function notFound(
  { vault }: VaultPorts,
  id: string,
  { datatype, format }: HtsgetQuery,
): Promise<HtsgetError> {
  const other = format && (await findManifest(vault, id, formatsOf[datatype]))
  if (other)
    return new HtsgetError('UnsupportedFormat', `this file is served as ${other.format}, not as ${format}`)
  return new HtsgetError('NotFound', `there is no such file among the ${datatype}`)
}

function openMap(ports: VaultPorts, { blockMap }: Manifest): Promise<BlockMap> {
  const maps = openMaps(ports.vault)
  const key = `${blockMap.key} ${blockMap.etag}`
  const known = maps.get(key)
  if (known) return known
  const opened = openStored(ports, blockMap)
    .then(source => keepTail(source, Math.max(mapTailBytes, blockMap.tail)))
    .then(source => openBlockMap(source, blockMap.tail))
  maps.set(key, opened, { size: sizeOf(blockMap) })
  opened.catch(() => maps.delete(key))
  return opened
}

async function plan(map: BlockMap, query: HtsgetQuery, limits: PlanLimits): Promise<Piece[]> {
  if (query.headerOnly) return planHeader(map, limits)
  if (!query.regions) return planWhole(map, limits)
  return planRuns(map, await map.units(resolveRegions(query, map.references)), limits)
}

async function urlOf(
  piece: Piece,
  manifest: Manifest,
  { keys }: VaultPorts,
  options: TicketOptions,
): Promise<TicketUrl> {
  const cls = piece.class && { class: piece.class }
  if (piece.kind === 'inline') return { url: dataUri(piece.bytes), ...cls }
  const token = await signDataToken(
    {
      manifestKey: manifestKey(baseKey(manifest.id, manifest.format)),
      etag: manifest.body.etag,
      unit: piece.kind,
      start: piece.start,
      end: piece.end,
    },
    keys,
    options.tokenSeconds ?? defaultTokenSeconds,
  )
  return { url: options.dataUrl + token, ...cls }
}
