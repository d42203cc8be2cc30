import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { diagramPage } from '../../infra/diagram/diagramPage.ts'

test('docs/operation/diagram.md is what the templates are: npx node infra/diagram/write.ts', () => {
  const page = diagramPage()
  expect(page).toBe(readFileSync(join(import.meta.dirname, '../../docs/operation/diagram.md'), 'utf8'))
  // The diagram is no empty one.
  expect(page).toMatch(/Ingest\w+ -->\|[^|]*writes\| \w*BucketsVault/)
  expect(page).toMatch(/BucketsInbox\w+ -->\|object created\|/)
})
