import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { fixtures, refusedFixtures } from '#test/fixtures/index.ts'

const folder = join(import.meta.dirname, '..', 'fixtures')
const listed = [...fixtures, ...refusedFixtures].map(fixture => fixture.name)
const present = ['bam', 'cram', 'vcf', 'bcf', 'misnamed', 'refused']
  .flatMap(sub => readdirSync(join(folder, sub)).map(name => `${sub}/${name}`))
  .filter(name => !name.startsWith('cram/reference.fa'))

describe('the fixtures', () => {
  test('are the files that the list names, each once', () => {
    expect([...listed].sort()).toEqual([...present].sort())
  })

  test('take less than 3 MB', () => {
    const bytes = present.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
    expect(bytes).toBeLessThan(3_000_000)
  })
})
