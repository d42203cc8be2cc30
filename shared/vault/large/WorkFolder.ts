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
import type { KeyStore } from '../ports/KeyStore.ts'
import type { VaultPorts } from '../VaultPorts.ts'
import type { LargePlan } from './LargePlan.ts'

/** The keys of all work under way begin so. */
export const workPrefix = `${ownPrefix}work/`

const maxPlanBytes = 64 << 20
const maxResultBytes = 1 << 30
const digestBytes = 32

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
    const bytes = await this.#read(this.#planKey, maxPlanBytes)
    return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as LargePlan)
  }

  /** Keeps the plan, once. @throws HtsvaultError PRECONDITION_FAILED where there is one */
  async begin(plan: LargePlan): Promise<void> {
    await this.#write(this.#planKey, new TextEncoder().encode(JSON.stringify(plan)), { ifAbsent: true })
  }

  /** @throws HtsvaultError WORK_CORRUPT, SHARD_CORRUPT */
  async shard(shard: number, parts: number): Promise<ShardFindings | undefined> {
    const bytes = await this.#read(this.#shardKey(shard), maxResultBytes)
    if (!bytes) return undefined
    const digests = bytes.subarray(0, parts * digestBytes)
    return { digests, result: readShardResult(bytes.subarray(digests.length)) }
  }

  /** Keeps what a shard found; says whether the work is still under way: where it is not, nothing is kept. */
  async addShard(shard: number, { result, digests }: ShardFindings): Promise<boolean> {
    const key = this.#shardKey(shard)
    await this.#write(key, Buffer.concat([digests, writeShardResult(result)]))
    // Whoever ends the work takes the plan away, and after it the shards: one of both sees this one.
    if (await this.#ports.vault.head(this.#planKey)) return true
    await this.#ports.vault.delete(key)
    return false
  }

  /** Says that parts of this generation are about to be written, so that `generations` tells of them. */
  async addGeneration(generation: string): Promise<void> {
    await this.#ports.vault.put(`${this.#prefix}${generation}`, new Uint8Array())
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

  async #read(key: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const object = await this.#ports.vault.get(key, maxBytes)
    return object && openOwn(this.#ports.keys, object.bytes, key)
  }

  async #write(key: string, plain: Uint8Array, condition?: { readonly ifAbsent: true }): Promise<void> {
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
