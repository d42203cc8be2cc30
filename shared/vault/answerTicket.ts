import { chooseColumns, type RecordColumns } from '#shared/columns/RecordColumns.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { HtsgetError } from '#shared/htsget/HtsgetError.ts'
import { formatsOf, type HtsgetQuery } from '#shared/htsget/HtsgetQuery.ts'
import {
  defaultLimits,
  planHeader,
  planRecords,
  planRuns,
  planWhole,
  recordsStep,
  type Piece,
  type PlanLimits,
  type RecordsPiece,
} from '#shared/htsget/planTicket.ts'
import { resolveRegions } from '#shared/htsget/resolveRegions.ts'
import { dataUri, writeTicket, type TicketUrl } from '#shared/htsget/writeTicket.ts'
import type { BlockMap } from '#shared/indexes/blockMap/openBlockMap.ts'
import { authoriseReading } from './access/authoriseReading.ts'
import { signDataToken } from './dataTokens.ts'
import { readDatasetSettings } from './DatasetSettings.ts'
import { encryptedUrls, type EncryptedTicket } from './encryptedUrls.ts'
import { findManifest } from './findManifest.ts'
import type { Identity } from './Identity.ts'
import type { Manifest } from './Manifest.ts'
import { baseKey, manifestKey } from './names.ts'
import { openFileMap } from './openFileMap.ts'
import type { KeyRing } from './ports/KeyStore.ts'
import { recipientsOf } from './recipientsOf.ts'
import { forgetManifest, recentManifest } from './recentManifests.ts'
import type { VaultPorts } from './VaultPorts.ts'

export interface TicketOptions {
  /** Where data URLs begin, with a slash at the end: `https://host/stage/data/`. */
  readonly dataUrl: string
  /** How long a data URL is good for, in seconds. */
  readonly tokenSeconds?: number
  readonly limits?: Partial<PlanLimits>
  /** The request's `Htsget-Context-Public-Key`: for whom a ticket of ciphertext is. */
  readonly publicKey?: string | undefined
  /** Encrypt under a key of the ticket's own always, whatever the dataset's settings say. */
  readonly freshKeys?: boolean
  /** Who asks; absent where the vault knows nobody: a public one, or one that IAM guards. */
  readonly identity?: Identity
}

/** Time enough for a client that reads the pieces of a whole genome one after another. */
const defaultTokenSeconds = 3600

/**
 * The ticket for one request, JSON: who may read, manifest, some pages of the block map, plan, URLs.
 * @throws HtsgetError PermissionDenied, NotFound, UnsupportedFormat, InvalidInput; HtsvaultError of the stores
 */
export async function answerTicket(
  ports: VaultPorts,
  id: string,
  query: HtsgetQuery,
  asked: TicketOptions,
): Promise<string> {
  const options = await authorised(ports, id, asked)
  const pinned = withOneRing(ports)
  try {
    return await ticketOf(pinned, id, query, options)
  } catch (error) {
    if (!(error instanceof HtsvaultError && ['OBJECT_GONE', 'OBJECT_CHANGED'].includes(error.code)))
      throw error
    // The file was replaced since its manifest was read, and its block map went with it.
    forgetManifest(ports.vault, id)
    return ticketOf(pinned, id, query, options)
  }
}

/**
 * The same ports with one key pair for the whole ticket: what it is encrypted with comes from the pair that signs its
 * tokens, and a private key is handed out and derived from once, not for each of its URLs.
 */
function withOneRing(ports: VaultPorts): VaultPorts {
  let ring: Promise<KeyRing> | undefined
  return { ...ports, keys: { keyPair: () => (ring ??= ports.keys.keyPair()) } }
}

/** What is handed out lives no longer than the leave to read. */
async function authorised(ports: VaultPorts, id: string, options: TicketOptions): Promise<TicketOptions> {
  if (!options.identity) return options
  const seconds = await authoriseReading(ports.vault, id, options.identity)
  return {
    ...options,
    tokenSeconds: Math.floor(Math.min(options.tokenSeconds ?? defaultTokenSeconds, seconds)),
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
  const map = await openFileMap(ports, manifest)
  const limits = { ...defaultLimits, ...options.limits }
  const urls = query.encryptionScheme
    ? await encrypt(ports, manifest, map, query, limits, options)
    : await plainUrls(ports, manifest, map, query, limits, options)
  return writeTicket(manifest.format, urls)
}

async function encrypt(
  ports: VaultPorts,
  manifest: Manifest,
  map: BlockMap,
  query: HtsgetQuery,
  limits: PlanLimits,
  options: TicketOptions,
): Promise<TicketUrl[]> {
  const settings = await readDatasetSettings(ports.vault, manifest.dataset)
  return encryptedUrls(ports, manifest, {
    recipients: await recipientsOf(ports.vault, options, settings),
    plan: own => plan(map, query, { ...limits, ...own }),
    limits,
    freshKeys: settings.freshKeys || (options.freshKeys ?? false),
    // Who spells it so is a client of before the draft; those that there are fail on anything but a 200.
    storageUrls: query.encryptionScheme !== 'c4gh',
    seconds: options.tokenSeconds ?? defaultTokenSeconds,
    urlOf: grant => dataUrl(grant, manifest, ports, options),
  })
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

async function plan(map: BlockMap, query: HtsgetQuery, limits: PlanLimits): Promise<Piece[]> {
  if (query.headerOnly) return planHeader(map, limits)
  if (!query.regions) return planWhole(map, limits)
  return planRuns(map, await map.units(resolveRegions(query, map.references)), limits)
}

async function plainUrls(
  ports: VaultPorts,
  manifest: Manifest,
  map: BlockMap,
  query: HtsgetQuery,
  limits: PlanLimits,
  options: TicketOptions,
): Promise<TicketUrl[]> {
  const columns = query.datatype === 'reads' ? chooseColumns(query) : undefined
  const pieces =
    columns && !query.headerOnly ? await planColumns(map, query, limits) : await plan(map, query, limits)
  return Promise.all(pieces.map(piece => urlOf(piece, columns, manifest, ports, options)))
}

/** Pieces of whole records, from which columns can be left out. */
async function planColumns(map: BlockMap, query: HtsgetQuery, limits: PlanLimits) {
  const regions = query.regions ? resolveRegions(query, map.references) : (['everything'] as const)
  const step = recordsStep(await map.units(regions), limits)
  return planRecords(map, await map.units(regions, step), limits)
}

async function urlOf(
  piece: Piece | RecordsPiece,
  columns: RecordColumns | undefined,
  manifest: Manifest,
  ports: VaultPorts,
  options: TicketOptions,
): Promise<TicketUrl> {
  const cls = piece.class && { class: piece.class }
  if (piece.kind === 'inline') return { url: dataUri(piece.bytes), ...cls }
  const { kind, start, end } = piece
  // A piece of records is planned only where there are columns to leave out.
  const grant =
    kind === 'records' ? { unit: kind, start, end, columns: columns! } : { unit: kind, start, end }
  return { url: await dataUrl(grant, manifest, ports, options), ...cls }
}

async function dataUrl(
  grant: Parameters<EncryptedTicket['urlOf']>[0],
  manifest: Manifest,
  { keys }: VaultPorts,
  options: TicketOptions,
): Promise<string> {
  const file = { manifestKey: manifestKey(baseKey(manifest.id, manifest.format)), etag: manifest.body.etag }
  const seconds = options.tokenSeconds ?? defaultTokenSeconds
  return options.dataUrl + (await signDataToken({ ...grant, ...file }, keys, seconds))
}
