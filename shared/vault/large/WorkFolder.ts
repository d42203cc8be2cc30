import { randomBytes } from '#shared/crypt4gh/Backend.ts'
import { decryptBytes } from '#shared/crypt4gh/body/decryptBytes.ts'
import { encryptBytes } from '#shared/crypt4gh/body/encryptBytes.ts'
import { openHeader } from '#shared/crypt4gh/header/openHeader.ts'
import { readHeader } from '#shared/crypt4gh/header/readHeader.ts'
import { writeHeader } from '#shared/crypt4gh/header/writeHeader.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { wipe } from '#shared/crypt4gh/wipe.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { readShardResult } from '#shared/indexes/shards/readShardResult.ts'
import type { ShardResult } from '#shared/indexes/shards/ShardResult.ts'
import { writeShardResult } from '#shared/indexes/shards/writeShardResult.ts'
import { pairsOf } from '../keyRing.ts'
import { ownPrefix } from '../names.ts'
import { isPreconditionFailed } from '../placeManifest.ts'
import type { KeyStore } from '../ports/KeyStore.ts'
import type { PutCondition } from '../ports/ObjectStore.ts'
import type { VaultPorts } from '../VaultPorts.ts'
import type { LargePlan, WorkEnd } from './LargePlan.ts'

/** The keys of all work under way begin so. */
export const workPrefix = `${ownPrefix}work/`

const maxPlanBytes = 64 << 20
const maxResultBytes = 1 << 30
/** Length of the digest of a part. */
export const digestBytes = 32

export type DecidedPlan = LargePlan & { readonly end: WorkEnd }

const isDecided = (plan: LargePlan): plan is DecidedPlan => plan.end !== undefined

/** What a shard left: its part of the indexes, and the SHA-256 of each of its parts' plain bytes. */
export interface ShardFindings {
  readonly result: ShardResult
  readonly digests: Uint8Array
}

/**
 * What is kept in the vault of one large ingest while it is under way: the plan, and what each shard found. All of it
 * is encrypted for the vault alone: a plan holds the body's data key, wrapped, and a shard tells of coverage.
 */
export class WorkFolder {
  readonly #ports: Pick<VaultPorts, 'vault' | 'keys'>
  readonly #prefix: string

  /** `work`: a name of its own for each ingest, without a slash. */
  constructor(ports: Pick<VaultPorts, 'vault' | 'keys'>, work: string) {
    this.#ports = ports
    this.#prefix = `${workPrefix}${work}/`
  }

  get #planKey(): string {
    return `${this.#prefix}plan.c4gh`
  }

  #shardKey(shard: number): string {
    return `${this.#prefix}shard-${shard}.c4gh`
  }

  /** The plan; nothing where there is none yet, or none any more. @throws HtsvaultError WORK_CORRUPT */
  async plan(): Promise<LargePlan | undefined> {
    return (await this.#present())?.plan
  }

  /** Keeps the plan, once. @throws HtsvaultError PRECONDITION_FAILED where there is one */
  async begin(plan: LargePlan): Promise<void> {
    await this.#writePlan(plan, { ifAbsent: true })
  }

  /**
   * Decides how the work ends, unless that is decided: the plan with what holds, of this caller or of one before;
   * nothing where there is no plan (any more). The plan is changed in its place, so of two at once one decides.
   * @throws HtsvaultError WORK_CORRUPT
   */
  async decide(end: WorkEnd): Promise<DecidedPlan | undefined> {
    for (;;) {
      const present = await this.#present()
      if (!present) return undefined
      const { plan, etag } = present
      if (isDecided(plan)) return plan
      try {
        await this.#writePlan({ ...plan, end }, { ifMatch: etag })
        return { ...plan, end }
      } catch (error) {
        if (!isPreconditionFailed(error)) throw error
      }
    }
  }

  /** @throws HtsvaultError WORK_CORRUPT, SHARD_CORRUPT */
  async shard(shard: number, parts: number): Promise<ShardFindings | undefined> {
    const object = await this.#read(this.#shardKey(shard), maxResultBytes)
    if (!object) return undefined
    const { bytes } = object
    const digests = bytes.subarray(0, parts * digestBytes)
    return { digests, result: readShardResult(bytes.subarray(digests.length)) }
  }

  /** Keeps what a shard found; says whether the work is still under way: where it is not, nothing is kept. */
  async addShard(shard: number, { result, digests }: ShardFindings): Promise<boolean> {
    const key = this.#shardKey(shard)
    await this.#write(key, Buffer.concat([digests, writeShardResult(result)]))
    return this.#isUnderWay(key)
  }

  /**
   * Says that parts of this generation are about to be written, so that `generations` tells of them; answers whether the
   * work is still under way.
   */
  async addGeneration(generation: string): Promise<boolean> {
    const key = `${this.#prefix}${generation}`
    await this.#ports.vault.put(key, new Uint8Array())
    return this.#isUnderWay(key)
  }

  async generations(): Promise<string[]> {
    const found: string[] = []
    for await (const { key } of this.#ports.vault.list(this.#prefix)) {
      const name = key.slice(this.#prefix.length)
      if (/^g[0-9a-f]{8}$/.test(name)) found.push(name)
    }
    return found
  }

  /** Deletes everything, whatever a late worker writes. */
  async remove(): Promise<void> {
    const { vault } = this.#ports
    await vault.delete(this.#planKey)
    for await (const { key } of vault.list(this.#prefix)) await vault.delete(key)
  }

  /** Where the work has ended, what was added behind its end is taken away. */
  async #isUnderWay(added: string): Promise<boolean> {
    // Whoever ends the work takes the plan away, and after it everything else: one of both sees what was added.
    if (await this.#ports.vault.head(this.#planKey)) return true
    await this.#ports.vault.delete(added)
    return false
  }

  async #present(): Promise<{ readonly plan: LargePlan; readonly etag: string } | undefined> {
    const object = await this.#read(this.#planKey, maxPlanBytes)
    if (!object) return undefined
    return { plan: JSON.parse(new TextDecoder().decode(object.bytes)) as LargePlan, etag: object.etag }
  }

  #writePlan(plan: LargePlan, condition: PutCondition): Promise<void> {
    return this.#write(this.#planKey, new TextEncoder().encode(JSON.stringify(plan)), condition)
  }

  async #read(key: string, maxBytes: number): Promise<{ bytes: Uint8Array; etag: string } | undefined> {
    const object = await this.#ports.vault.get(key, maxBytes)
    return object && { bytes: await openOwn(this.#ports.keys, object.bytes, key), etag: object.info.etag }
  }

  async #write(key: string, plain: Uint8Array, condition?: PutCondition): Promise<void> {
    await this.#ports.vault.put(key, await sealOwn(this.#ports.keys, plain), condition)
  }
}

async function sealOwn(keys: KeyStore, plain: Uint8Array): Promise<Uint8Array> {
  const { publicKey } = await keys.keyPair()
  const dataKey = randomBytes(32, nodeBackend)
  try {
    const header = writeHeader({ dataKeys: [dataKey], recipients: [publicKey] }, nodeBackend)
    return Buffer.concat([header, encryptBytes(plain, dataKey, nodeBackend)])
  } finally {
    wipe(dataKey)
  }
}

async function openOwn(keys: KeyStore, bytes: Uint8Array, key: string): Promise<Uint8Array> {
  const ring = await keys.keyPair()
  try {
    const header = readHeader(bytes)
    const opened = openHeader(header, pairsOf(ring), nodeBackend)
    return decryptBytes(bytes.subarray(header.length), opened, nodeBackend)
  } catch (cause) {
    throw workCorrupt(key, cause)
  }
}

/** What the vault wrote for itself cannot be opened: that is not the file's fault. */
export const workCorrupt = (key: string, cause: unknown) =>
  new HtsvaultError('WORK_CORRUPT', 'what was kept of an ingest under way cannot be opened', {
    place: { file: key },
    hint: 'Upload the file again.',
    cause,
  })
