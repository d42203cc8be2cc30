import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

const root = join(import.meta.dirname, '..', '..')

function sources(): string {
  return ['shared', 'functions', 'cli', 'infra']
    .flatMap(folder =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter(path => path.endsWith('.ts'))
        .map(path => readFileSync(join(root, folder, path), 'utf8')),
    )
    .join('\n')
}

/** Names in capitals that are settings of the environment, or another library's. */
const notCodes =
  /^(ERR_|AWS_|C4GH_|HTSVAULT_|XDG_)|_(BUCKET|ID|URL|BUS|ISSUERS)$|^(VAULT_NAME|LARGE_INGEST|LARGE_FROM_BYTES|METRICS_SERVICE|PENDING_REDRIVE|TIMED_OUT|GREATER_THAN.*|NOT_BREACHING|FULL_OBJECT|ERROR_CODE|RETRY_ATTEMPTS)$/

test('docs/errors.md tells every code that there is, and no other', () => {
  const text = sources()
  const thrown = new Set(
    [...text.matchAll(/'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g)]
      .map(match => match[1]!)
      .filter(code => !notCodes.test(code)),
  )
  const documented = new Set(
    [
      ...readFileSync(join(root, 'docs', 'errors.md'), 'utf8').matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`/g),
    ].map(match => match[1]!),
  )
  expect(thrown.size).toBeGreaterThan(80)
  expect([...thrown].filter(code => !documented.has(code)).sort()).toEqual([])
  expect([...documented].filter(code => !thrown.has(code)).sort()).toEqual([])
})
