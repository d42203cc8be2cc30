import * as z from 'zod'
import { readPublicKey } from '#shared/crypt4gh/keys/readPublicKey.ts'
import { HtsvaultError } from '#shared/errors.ts'
import type { ObjectStore } from './ports/ObjectStore.ts'
import { grantSchema } from './access/Grant.ts'
import { settingsKey } from './names.ts'

const schema = z.strictObject({
  /** Who, besides the vault, can open the dataset's objects: Crypt4GH public keys, PEM or their base64 line. */
  recipients: z.array(z.string().min(1)).max(1000).default([]),
  encryption: z.enum(['crypt4gh', 'none']).default('crypt4gh'),
  /**
   * Encrypt what a ticket of ciphertext holds under a data key of its own, always: who may read a region then holds no
   * key to the rest of the file.
   */
  freshKeys: z.boolean().default(false),
  /** Which references files may have: the name of a `.dict` or `.fai` file beside these settings. */
  references: z
    .string()
    .regex(/^[\w-][\w.-]*\.(dict|fai)$/)
    .optional(),
  /** Who may read, where the vault knows who asks; nobody, where nothing is said. */
  access: z.array(grantSchema).max(10_000).default([]),
})

/** The settings of one dataset, `<dataset>/dataset.json` in the vault. */
export type DatasetSettings = z.infer<typeof schema>

/** The dataset's recipients, raw, 32 bytes each. @throws HtsvaultError DATASET_SETTINGS_INVALID */
export function readRecipients({ recipients }: Pick<DatasetSettings, 'recipients'>): Uint8Array[] {
  return recipients.map((recipient, i) => {
    try {
      return readPublicKey(recipient)
    } catch (cause) {
      throw new HtsvaultError(
        'DATASET_SETTINGS_INVALID',
        `recipient ${i + 1} of the dataset's settings is no public key`,
        {
          hint: 'Put the text of a .pub file (htsvault c4gh keygen) in dataset.json, then delete the .refused.json beside the upload.',
          cause,
        },
      )
    }
  })
}

/**
 * Who can open the objects of a dataset: the vault, and whom its settings name; nobody twice.
 * @throws HtsvaultError DATASET_SETTINGS_INVALID where a recipient is no public key
 */
export function datasetReaders(
  settings: Pick<DatasetSettings, 'recipients'>,
  vaultKey: Uint8Array,
): Uint8Array[] {
  const keys = [vaultKey, ...readRecipients(settings)]
  return keys.filter((key, i) => keys.findIndex(other => Buffer.compare(other, key) === 0) === i)
}

const maxSettingsBytes = 1 << 20

/**
 * The dataset's settings; where there is no file, those of a dataset that nobody but the vault can open.
 * @throws HtsvaultError DATASET_SETTINGS_INVALID
 */
export async function readDatasetSettings(vault: ObjectStore, dataset: string): Promise<DatasetSettings> {
  const key = settingsKey(dataset)
  const object = await vault.get(key, maxSettingsBytes)
  if (object === undefined) return schema.parse({})
  try {
    return schema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(object.bytes)))
  } catch (cause) {
    const what = cause instanceof z.ZodError ? `: ${z.prettifyError(cause)}` : ': it is not JSON'
    throw new HtsvaultError('DATASET_SETTINGS_INVALID', `the dataset's settings cannot be read${what}`, {
      place: { file: key },
      hint: `Mend ${key} in the vault, then delete the .refused.json beside the upload.`,
      cause,
    })
  }
}
