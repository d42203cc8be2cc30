import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

const root = join(import.meta.dirname, '..', '..')
const rows = readFileSync(join(root, 'docs', 'htsget.md'), 'utf8')
  .split('\n')
  .flatMap(line => [...line.matchAll(/`(test\/[^`]+\.ts)`: "(.+?)"(?= +[|(])/g)])
  .map(([, file, name]) => [file!, name!.replaceAll('\\', '')] as const)

test('the table names tests', () => {
  expect(rows.length).toBeGreaterThan(20)
})

test.each(rows)('%s holds "%s"', (file, name) => {
  expect(readFileSync(join(root, file), 'utf8')).toContain(name)
})
