import { crc64nvme } from '#shared/bytes/crc64nvme.ts'
import { writeHeader } from '#shared/crypt4gh/header/writeHeader.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { plainSize } from '#shared/crypt4gh/sizes.ts'
import { datasetReaders, type DatasetSettings } from './DatasetSettings.ts'
import type { StoredObject } from './Manifest.ts'
import type { SealedUpload, Seen } from './openUpload.ts'
import type { ObjectInfo } from './ports/ObjectStore.ts'
import type { BodyWriter } from './SealedWriter.ts'
import type { VaultPorts } from './VaultPorts.ts'

/** The body of an upload that stays as it is, and the secret that opens it. */
export interface KeptBody extends Pick<SealedUpload, 'start'> {
  readonly upload: ObjectInfo
  readonly dataKey: Uint8Array
}

/**
 * A body that is Crypt4GH already and stays as it is, behind a header for the vault and the dataset's recipients. Nothing
 * is written before `complete`: by then whoever reads the plain bytes has found them sound, and shown all of the body.
 *
 * @throws HtsvaultError DATASET_SETTINGS_INVALID where a recipient is no public key; KEY_UNAVAILABLE
 */
export async function keepBody(
  { inbox, vault, keys }: VaultPorts,
  key: string,
  settings: DatasetSettings,
  { upload, dataKey, start }: KeptBody,
): Promise<BodyWriter & { readonly seen: Seen }> {
  const recipients = datasetReaders(settings, (await keys.keyPair()).publicKey)
  const header = writeHeader({ dataKeys: [dataKey], recipients }, nodeBackend)
  const bodySize = upload.size - start
  let crc = 0n
  return {
    seen: cipher => void (crc = crc64nvme(cipher, crc)),

    write: async () => undefined,

    async complete(): Promise<StoredObject> {
      const object = await vault.create(key, header.length + bodySize)
      try {
        await object.write(header)
        const body = { store: inbox, key: upload.key, start, end: upload.size, etag: upload.etag }
        if (object.append) await object.append({ ...body, crc64nvme: crc })
        else
          for await (const chunk of inbox.stream(body.key, start, body.end, body.etag, { reuse: true }))
            await object.write(chunk)
        const { size, etag, crc64nvme } = await object.complete({ ifAbsent: true })
        return {
          key,
          size,
          etag,
          crc64nvme,
          plainSize: plainSize(bodySize),
          header: Buffer.from(header).toString('base64'),
          bodyOffset: header.length,
        }
      } finally {
        await object.abort()
      }
    },

    abort: async () => undefined,
  }
}
