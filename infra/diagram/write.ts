/**
 * Writes docs/operation/diagram.md from the templates of a vault with the default settings.
 *
 *     npx node infra/diagram/write.ts
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { diagramPage } from './diagramPage.ts'

writeFileSync(join(import.meta.dirname, '../../docs/operation/diagram.md'), diagramPage())
