import { randomBytes } from '#shared/crypt4gh/Backend.ts'
import { batchSegmentsOf } from '#shared/crypt4gh/body/batchBuffer.ts'
import { Encryptor } from '#shared/crypt4gh/body/Encryptor.ts'
import { writeHeader } from '#shared/crypt4gh/header/writeHeader.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { cipherSize, segmentBytes } from '#shared/crypt4gh/sizes.ts'
import { wipe } from '#shared/crypt4gh/wipe.ts'
import { datasetReaders, type DatasetSettings } from './DatasetSettings.ts'
import type { StoredObject } from './Manifest.ts'
import type { Upload } from './ports/ObjectStore.ts'
import type { VaultPorts } from './VaultPorts.ts'

/** An object of the vault being written, as its plain bytes come by; it is created only where there is none. */
export interface BodyWriter {
  /** Takes the next plain bytes; they are not kept. */
  write(plain: Uint8Array): Promise<void>
  /** @throws HtsvaultError PRECONDITION_FAILED where an object of that key is there already */
  complete(): Promise<StoredObject>
  /** Leaves nothing of what was not completed; does nothing after `complete`. */
  abort(): Promise<void>
}

/**
 * Writes one object of the vault as its dataset wants it: Crypt4GH for the vault and the dataset's recipients, under
 * a data key of its own, or plain. Nobody sees it before `complete`, which creates it only where there is none.
 */
export class SealedWriter implements BodyWriter {
  readonly #key: string
  readonly #upload: Upload
  readonly #header: Uint8Array | undefined
  readonly #encryptor: Encryptor | undefined
  #plainSize = 0

  private constructor(key: string, upload: Upload, header?: Uint8Array, encryptor?: Encryptor) {
    this.#key = key
    this.#upload = upload
    this.#header = header
    this.#encryptor = encryptor
  }

  /**
   * `plainSize`: how many bytes are going to be written.
   * @throws HtsvaultError DATASET_SETTINGS_INVALID where a recipient is no public key; KEY_UNAVAILABLE
   */
  static async begin(
    { vault, keys }: VaultPorts,
    key: string,
    settings: DatasetSettings,
    plainSize: number,
  ): Promise<SealedWriter> {
    if (settings.encryption === 'none') return new SealedWriter(key, await vault.create(key, plainSize))
    const dataKey = randomBytes(32, nodeBackend)
    try {
      const recipients = datasetReaders(settings, (await keys.keyPair()).publicKey)
      const header = writeHeader({ dataKeys: [dataKey], recipients }, nodeBackend)
      // Batches are written before the next is asked for, so one buffer serves them all.
      const batchSegments = batchSegmentsOf(Math.ceil(plainSize / segmentBytes))
      const encryptor = new Encryptor(dataKey, nodeBackend, { reuseOutput: true, batchSegments })
      const upload = await vault.create(key, header.length + cipherSize(plainSize))
      await upload.write(header)
      return new SealedWriter(key, upload, header, encryptor)
    } finally {
      wipe(dataKey)
    }
  }

  /** Writes a small object in one go. */
  static async whole(
    ports: VaultPorts,
    key: string,
    settings: DatasetSettings,
    bytes: Uint8Array,
  ): Promise<StoredObject> {
    const writer = await SealedWriter.begin(ports, key, settings, bytes.length)
    try {
      await writer.write(bytes)
      return await writer.complete()
    } finally {
      await writer.abort()
    }
  }

  async write(plain: Uint8Array): Promise<void> {
    this.#plainSize += plain.length
    if (!this.#encryptor) await this.#upload.write(plain)
    else for (const cipher of this.#encryptor.push(plain)) await this.#upload.write(cipher)
  }

  /** @throws HtsvaultError PRECONDITION_FAILED where an object of that key is there already */
  async complete(): Promise<StoredObject> {
    if (this.#encryptor) for (const cipher of this.#encryptor.finish()) await this.#upload.write(cipher)
    const { size, etag, crc64nvme } = await this.#upload.complete({ ifAbsent: true })
    return {
      key: this.#key,
      size,
      etag,
      crc64nvme,
      plainSize: this.#plainSize,
      ...(this.#header && { header: Buffer.from(this.#header).toString('base64') }),
      bodyOffset: this.#header?.length ?? 0,
    }
  }

  /** Leaves nothing of what was not completed; does nothing after `complete`. */
  async abort(): Promise<void> {
    await this.#upload.abort()
  }
}
