import { crc64nvme } from '#shared/bytes/crc64nvme.ts'
import { Encryptor } from '#shared/crypt4gh/body/Encryptor.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { wipe } from '#shared/crypt4gh/wipe.ts'
import type { VaultPorts } from '../VaultPorts.ts'
import { headerBytes, shardRange, storedSize, type LargePlan } from './LargePlan.ts'
import { openPlannedHeader } from './openPlanned.ts'

/** What writes the parts of one shard into the body. */
export interface ShardBody {
  /** Takes the next plain bytes; they are not kept. */
  write(plain: Uint8Array): Promise<void>
  /** Resolves when the store has all parts. */
  finish(): Promise<void>
}

/**
 * Writes the parts of one shard into the body as its plain bytes come in. While a part is sent the next is filled:
 * memory is two parts.
 */
export class PartWriter implements ShardBody {
  readonly #ports: Pick<VaultPorts, 'vault'>
  readonly #plan: LargePlan
  readonly #encryptor: Encryptor | undefined
  readonly #buffers: Buffer[] = []
  #part: number
  #buffer: Buffer
  #filled = 0
  #crc = 0n
  #offset: number
  #sending: Promise<void> = Promise.resolve()

  private constructor(
    ports: Pick<VaultPorts, 'vault'>,
    plan: LargePlan,
    shard: number,
    encryptor?: Encryptor,
  ) {
    this.#ports = ports
    this.#plan = plan
    this.#encryptor = encryptor
    this.#part = shard * plan.shardParts
    this.#offset = storedSize(plan, shardRange(plan, shard).start)
    this.#buffer = this.#newBuffer()
    if (shard > 0) this.#offset += headerBytes(plan)
    else if (plan.header !== undefined) {
      this.#filled = this.#buffer.write(plan.header, 'base64')
      this.#crc = crc64nvme(this.#buffer.subarray(0, this.#filled))
    }
  }

  /** @throws HtsvaultError WORK_CORRUPT where the vault's key does not open the body's header; KEY_UNAVAILABLE */
  static async open(ports: VaultPorts, plan: LargePlan, shard: number): Promise<PartWriter> {
    if (plan.header === undefined) return new PartWriter(ports, plan, shard)
    const { dataKeys } = await openPlannedHeader(ports.keys, plan.header, plan.body.key)
    try {
      const encryptor = new Encryptor(dataKeys[0]!, nodeBackend, { reuseOutput: true })
      return new PartWriter(ports, plan, shard, encryptor)
    } finally {
      wipe(...dataKeys)
    }
  }

  async write(plain: Uint8Array): Promise<void> {
    if (!this.#encryptor) await this.#fill(plain)
    else for (const cipher of this.#encryptor.push(plain)) await this.#fill(cipher)
  }

  async finish(): Promise<void> {
    if (this.#encryptor) for (const cipher of this.#encryptor.finish()) await this.#fill(cipher)
    if (this.#filled > 0) await this.#send()
    await this.#sending
  }

  async #fill(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + this.#buffer.length - this.#filled)
      // Of what was encrypted, not of the copy: what becomes of that is then seen, too.
      this.#crc = crc64nvme(piece, this.#crc)
      this.#buffer.set(piece, this.#filled)
      this.#filled += piece.length
      at += piece.length
      if (this.#filled === this.#buffer.length) await this.#send()
    }
  }

  async #send(): Promise<void> {
    await this.#sending
    const full = this.#buffer
    const bytes = full.subarray(0, this.#filled)
    const { key, upload } = this.#plan.body
    const part = { number: this.#part + 1, offset: this.#offset, bytes, crc64nvme: this.#crc }
    this.#sending = this.#ports.vault.parts.put(key, upload, part).then(() => void this.#buffers.push(full))
    // Its failure is thrown by the next call that awaits it; until then nobody listens.
    this.#sending.catch(() => undefined)
    this.#part++
    this.#offset += bytes.length
    this.#filled = 0
    this.#crc = 0n
    this.#buffer = this.#newBuffer()
  }

  #newBuffer(): Buffer {
    const length = storedSize(this.#plan, this.#plan.partBytes)
    // The body's header stands before the segments of the first part.
    if (this.#part === 0) return Buffer.allocUnsafeSlow(length + headerBytes(this.#plan))
    const spare = this.#buffers.pop()
    return spare?.length === length ? spare : Buffer.allocUnsafeSlow(length)
  }
}
