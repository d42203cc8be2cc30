/**
 * Writes the JSON schemas of the vault's announcements from the ones that it checks them by.
 *
 *     npx node events/writeSchemas.ts && npx prettier --write events
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { fileReadySchema, fileRefusedSchema } from '#shared/vault/announcement.ts'

for (const [name, schema] of [
  ['FileReady.v1', fileReadySchema],
  ['FileRefused.v1', fileRefusedSchema],
] as const)
  writeFileSync(
    join(import.meta.dirname, 'schemas', `${name}.json`),
    `${JSON.stringify(z.toJSONSchema(schema), null, 2)}\n`,
  )
