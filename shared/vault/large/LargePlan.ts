import type { ByteRange } from '#shared/bytes/ByteRange.ts'
import type { VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { cipherSize, segmentBytes } from '#shared/crypt4gh/sizes.ts'
import type { Format } from '#shared/indexes/FileIndexer.ts'
import type { ShardFacts, ShardTask } from '#shared/indexes/shards/ShardTask.ts'
import type { DatasetSettings } from '../DatasetSettings.ts'
import type { Manifest } from '../Manifest.ts'
import type { UploadName } from '../names.ts'
import type { PublicationStart } from '../publication.ts'

/** How an upload that is Crypt4GH is opened, and what becomes of its body. */
export interface PlannedSealed {
  /** Where its body begins, in bytes. */
  readonly start: number
  /** A Crypt4GH header for the vault alone, base64: the upload's data keys and its edit list. */
  readonly header: string
  /** Whether the body is copied as it is, behind the plan's header; it is encrypted anew unless so. */
  readonly kept: boolean
}

/** How a large file is cut. */
export interface LargeCuts {
  /** Plain bytes of a part of the body: whole segments, and with S3 5 MiB at least. */
  readonly partBytes: number
  /** Parts of a shard: what one worker does at once. */
  readonly shardParts: number
}

/** How the work on a large file ends, once that is decided: its plan says it, and nobody takes it back. */
export type WorkEnd =
  | { readonly state: 'abandoned' }
  /** The parts are there, and this is to be the manifest: whoever comes writes it. */
  | { readonly state: 'published'; readonly manifest: Manifest }

/** What all workers on a large file know. Plain values: it is kept as JSON, encrypted for the vault alone. */
export interface LargePlan extends LargeCuts {
  readonly version: 1
  readonly upload: {
    readonly key: string
    readonly size: number
    readonly etag: string
    readonly modified: string
  }
  /** How many plain bytes the upload has; of one with an edit list, how many it shows. */
  readonly plainSize: number
  /** Of an upload that is Crypt4GH. */
  readonly sealed?: PlannedSealed
  readonly name: UploadName
  readonly id: string
  readonly format: Format
  readonly settings: DatasetSettings
  readonly start: PublicationStart
  /** Where the body is being written. */
  readonly body: { readonly key: string; readonly upload: string }
  /** The Crypt4GH header of the body, base64, which holds its data key; absent where the body is plain. */
  readonly header?: string
  readonly facts: ShardFacts
  /** Where the first record begins. */
  readonly firstRecord: VirtualOffset
  readonly began: string
  /** Absent while the work is under way. */
  readonly end?: WorkEnd
}

/** S3 takes 10,000 parts: some are left over. */
const mostParts = 9000
const leastPartBytes = 16 << 20
const leastShardBytes = 64 << 20

/**
 * Cuts that fit a file of `size` plain bytes: parts of 16 MiB, four in a shard, up to 150 GB; beyond that larger parts. A
 * worker holds two parts.
 */
export function cutsFor(size: number): LargeCuts {
  const partBytes = Math.max(leastPartBytes, Math.ceil(size / mostParts / segmentBytes) * segmentBytes)
  return { partBytes, shardParts: Math.ceil(leastShardBytes / partBytes) }
}

type Cut = Pick<LargePlan, 'partBytes' | 'shardParts' | 'plainSize'>

export const partCount = ({ plainSize, partBytes }: Cut): number => Math.ceil(plainSize / partBytes)

export const shardCount = (plan: Cut): number => Math.ceil(partCount(plan) / plan.shardParts)

/** The plain bytes of a shard, the first is 0. */
export function shardRange({ plainSize, partBytes, shardParts }: Cut, shard: number): ByteRange {
  const bytes = partBytes * shardParts
  return { start: shard * bytes, end: Math.min((shard + 1) * bytes, plainSize) }
}

/** Parts of a shard: fewer in the last one. */
export const partsOf = (plan: Cut, shard: number): number =>
  Math.min(plan.shardParts, partCount(plan) - shard * plan.shardParts)

export function shardTask(plan: LargePlan, shard: number): ShardTask {
  const last = shard === shardCount(plan) - 1
  const start = shard === 0 ? { start: plan.firstRecord } : {}
  return { facts: plan.facts, range: shardRange(plan, shard), last, ...start }
}

/** Length in bytes of what `plain` bytes become in the body. */
export const storedSize = ({ header }: Pick<LargePlan, 'header'>, plain: number): number =>
  header === undefined ? plain : cipherSize(plain)

/** Length of the body's header in bytes. */
export const headerBytes = ({ header }: Pick<LargePlan, 'header'>): number =>
  header === undefined ? 0 : Buffer.byteLength(header, 'base64')
