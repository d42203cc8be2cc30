import { crc64nvme } from '#shared/bytes/crc64nvme.ts'
import type { CopiedPart } from '../ports/ObjectStore.ts'
import type { VaultPorts } from '../VaultPorts.ts'
import { headerBytes, partsOf, shardRange, storedSize, type LargePlan } from './LargePlan.ts'
import type { ShardBody } from './PartWriter.ts'

/**
 * Has the store copy the parts of one shard of an upload that is Crypt4GH and stays as it is, once whoever reads its
 * plain bytes has found them sound. Memory: the first part of the file, which has the body's header in front.
 */
export class PartKeeper implements ShardBody {
  readonly #ports: Pick<VaultPorts, 'inbox' | 'vault'>
  readonly #plan: LargePlan
  readonly #firstPart: number
  /** Where the shard begins and ends in the upload, in bytes. */
  readonly #start: number
  readonly #end: number
  readonly #partBytes: number
  /** CRC-64/NVME of each part of the upload, as far as it was seen. */
  readonly #crcs: bigint[]

  /** `plan`: of an upload whose body is kept. */
  constructor(ports: Pick<VaultPorts, 'inbox' | 'vault'>, plan: LargePlan, shard: number) {
    this.#ports = ports
    this.#plan = plan
    const { start, end } = shardRange(plan, shard)
    this.#start = plan.sealed!.start + storedSize(plan, start)
    this.#end = plan.sealed!.start + storedSize(plan, end)
    this.#firstPart = shard * plan.shardParts
    this.#partBytes = storedSize(plan, plan.partBytes)
    this.#crcs = Array.from({ length: partsOf(plan, shard) }, () => 0n)
  }

  /** Is shown the upload's bytes that were read, the shard's in order and once; `at`: where they begin. */
  readonly seen = (cipher: Uint8Array, at: number): void => {
    // Whoever reads on, to where the last record ends, reads what is another shard's.
    for (let from = at; from < at + cipher.length && from < this.#end;) {
      const part = Math.floor((from - this.#start) / this.#partBytes)
      const to = Math.min(at + cipher.length, this.#start + (part + 1) * this.#partBytes, this.#end)
      this.#crcs[part] = crc64nvme(cipher.subarray(from - at, to - at), this.#crcs[part])
      from = to
    }
  }

  async write(): Promise<void> {
    // The plain bytes are not what is stored.
  }

  async finish(): Promise<void> {
    const { key, upload } = this.#plan.body
    await Promise.all(this.#crcs.map((_, i) => this.#ports.vault.parts.copy(key, upload, this.#part(i))))
  }

  #part(i: number): CopiedPart {
    const { upload, header, sealed } = this.#plan
    const start = this.#start + i * this.#partBytes
    const from = {
      store: this.#ports.inbox,
      key: upload.key,
      etag: upload.etag,
      start,
      end: Math.min(start + this.#partBytes, this.#end),
      crc64nvme: this.#crcs[i]!,
    }
    const number = this.#firstPart + i + 1
    return number === 1
      ? { number, offset: 0, lead: Buffer.from(header!, 'base64'), from }
      : { number, offset: headerBytes(this.#plan) + start - sealed!.start, from }
  }
}
