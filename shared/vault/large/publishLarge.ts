import { createHash } from 'node:crypto'
import { HtsvaultError } from '#shared/errors.ts'
import type { IndexedFile } from '#shared/indexes/FileIndexer.ts'
import { ShardMerge } from '#shared/indexes/shards/ShardMerge.ts'
import { endRefused, endServed, type IngestEnd } from '../ingestUpload.ts'
import type { Digests, Manifest, StoredObject } from '../Manifest.ts'
import type { JoinedObject, ObjectInfo } from '../ports/ObjectStore.ts'
import { forPresentKey, placeManifest } from '../placeManifest.ts'
import { discardParts, newGeneration, publicationFrom, startPublication } from '../publication.ts'
import type { VaultPorts } from '../VaultPorts.ts'
import { endWork } from './endWork.ts'
import {
  headerBytes,
  partCount,
  partsOf,
  shardCount,
  shardTask,
  storedSize,
  type LargePlan,
  type WorkEnd,
} from './LargePlan.ts'
import { openPlanned } from './openPlanned.ts'
import { readFileHeader } from './planLarge.ts'
import { WorkFolder, type ShardFindings } from './WorkFolder.ts'
import { brokenBytes, indexShard, isReplaced } from './workShard.ts'

/** Results of shards that are fetched ahead of the merge. */
const ahead = 8

/**
 * Ends the ingest of a large file whose shards are done: joins what they found, completes the body, writes index,
 * block map and manifest, deletes the upload and what was kept of the work. Safe to repeat at any point.
 * @throws whatever is not the file's fault
 */
export async function publishLarge(ports: VaultPorts, work: string): Promise<IngestEnd> {
  const folder = new WorkFolder(ports, work)
  const plan = await folder.plan()
  // Without a plan it has ended, but perhaps not been cleared away.
  const end: IngestEnd = plan ? await endOf(ports, folder, plan) : { state: 'gone' }
  await endWork(ports, work)
  return end
}

async function endOf(ports: VaultPorts, folder: WorkFolder, plan: LargePlan): Promise<IngestEnd> {
  const upload = { ...plan.upload, modified: new Date(plan.upload.modified) }
  try {
    const { already } = await startPublication(ports.vault, { ...plan, upload })
    const manifest = already ?? (await publish(ports, folder, plan, upload))
    return manifest ? await endServed(ports, upload, manifest) : { state: 'gone' }
  } catch (error) {
    if (isReplaced(error) || (await ports.inbox.head(upload.key))?.etag !== upload.etag)
      return { state: 'gone' }
    return await endRefused(ports, upload, error)
  }
}

/** The manifest, which then stands; nothing where the work was given up meanwhile. */
async function publish(
  ports: VaultPorts,
  folder: WorkFolder,
  plan: LargePlan,
  upload: ObjectInfo,
): Promise<Manifest | undefined> {
  const end = plan.end ?? (await decide(ports, folder, plan, upload))
  return end?.state === 'published' ? placeManifest(ports, end.manifest, plan.start) : undefined
}

/**
 * Stores the parts and has it decided that they are the file. From then on nobody deletes them, and whoever comes, an
 * attempt after this one or somebody who wants to give the work up, writes the manifest.
 */
async function decide(
  ports: VaultPorts,
  folder: WorkFolder,
  plan: LargePlan,
  upload: ObjectInfo,
): Promise<WorkEnd | undefined> {
  const { indexed, digests } = await mergeShards(ports, folder, plan)
  // Keys of this attempt alone: what another one wrote may be in a manifest already.
  const generation = newGeneration()
  if (!(await folder.addGeneration(generation))) return undefined
  const publication = publicationFrom(ports, { ...plan, upload }, { ...plan.start, generation })
  const body = { complete: () => completeBody(ports, plan) }
  const stored = await publication.store({ body, keepBody: true, indexed, digests })
  const manifest = await forPresentKey(ports.keys, stored)
  const { index, blockMap } = manifest
  const end = (await folder.decide({ state: 'published', manifest }))?.end
  if (end?.state !== 'published' || end.manifest.index.key !== index.key)
    await discardParts(ports.vault, { index, blockMap })
  return end
}

/** The body as an object: made of its parts now, or by an earlier attempt. */
async function completeBody({ vault }: VaultPorts, plan: LargePlan): Promise<StoredObject> {
  const { key, upload } = plan.body
  const { plainSize } = plan
  const bodyOffset = headerBytes(plan)
  const whole = { parts: partCount(plan), size: bodyOffset + storedSize(plan, plainSize) }
  const there = await vault.head(key)
  const body: JoinedObject = there
    ? { ...there, ...sumField(await vault.parts.sumOf(key, there.etag)) }
    : await vault.parts.complete(key, upload, whole, { ifAbsent: true })
  return {
    key,
    size: body.size,
    etag: body.etag,
    ...sumField(body.crc64nvme),
    plainSize,
    ...(plan.header !== undefined && { header: plan.header }),
    bodyOffset,
  }
}

const sumField = (crc64nvme: string | undefined) => (crc64nvme === undefined ? {} : { crc64nvme })

async function mergeShards(
  ports: VaultPorts,
  folder: WorkFolder,
  plan: LargePlan,
): Promise<{ readonly indexed: IndexedFile; readonly digests: Digests }> {
  const plain = await openPlanned(ports, plan)
  const merge = new ShardMerge(await readFileHeader(plain))
  const digest = createHash('sha256')
  let shard = 0
  for await (const { result, digests } of allFindings(folder, plan)) {
    digest.update(digests)
    const broken = brokenBytes(result)
    if (broken) throw HtsvaultError.from(broken)
    const task = shardTask(plan, shard++)
    if (merge.isEmpty(task)) continue
    const redo = merge.redo(task, result)
    merge.add(redo ? await indexShard(plain, redo) : result)
  }
  const parts = { bytes: plan.partBytes, sha256: digest.digest('hex') }
  return { indexed: merge.finish(), digests: { parts } }
}

async function* allFindings(folder: WorkFolder, plan: LargePlan): AsyncGenerator<ShardFindings> {
  const count = shardCount(plan)
  const fetch = (shard: number) => {
    const found = folder.shard(shard, partsOf(plan, shard))
    // It is awaited later, or not at all where one before it is wrong.
    found.catch(() => undefined)
    return found
  }
  const waiting: ReturnType<typeof fetch>[] = []
  for (let next = 0, shard = 0; shard < count; shard++) {
    while (next < count && waiting.length < ahead) waiting.push(fetch(next++))
    const found = await waiting.shift()
    if (!found)
      throw new HtsvaultError('UPLOAD_INCOMPLETE', `shard ${shard} of ${count} is missing`, {
        hint: 'Start the ingest again: htsvault admin redrive.',
      })
    yield found
  }
}
