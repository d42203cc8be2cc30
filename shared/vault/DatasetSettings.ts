import { z } from 'zod'
import { HtsvaultError } from '#shared/errors.ts'
import type { ObjectStore } from './ports/ObjectStore.ts'
import { settingsKey } from './names.ts'

const schema = z.strictObject({
  /** Who, besides the vault, can open the dataset's objects: Crypt4GH public keys, PEM or their base64 line. */
  recipients: z.array(z.string().min(1)).max(1000).default([]),
  encryption: z.enum(['crypt4gh', 'none']).default('crypt4gh'),
})

/** The settings of one dataset, `<dataset>/dataset.json` in the vault. */
export type DatasetSettings = z.infer<typeof schema>

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
