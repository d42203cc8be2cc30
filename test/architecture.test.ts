import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { describe, expect, test } from '@jest/globals'

const root = join(import.meta.dirname, '..')

/** What each folder may import of the project (itself included). Everything else is a stray import. */
const allowed: Record<string, readonly string[]> = {
  'shared/bytes': [],
  'shared/columns': [],
  'shared/bgzf': ['shared/bytes'],
  'shared/bam': ['shared/bytes', 'shared/columns', 'shared/bgzf'],
  'shared/vcf': ['shared/bytes', 'shared/bgzf'],
  'shared/bcf': ['shared/bytes', 'shared/bgzf', 'shared/vcf'],
  'shared/cram': ['shared/bytes', 'shared/columns'],
  'shared/crypt4gh': ['shared/bytes'],
}
const formats = ['shared/bgzf', 'shared/bam', 'shared/vcf', 'shared/bcf', 'shared/cram']
allowed['shared/indexes'] = ['shared/bytes', 'shared/columns', ...formats]
allowed['shared/htsget'] = [...allowed['shared/indexes'], 'shared/indexes']
allowed['shared/client'] = [...allowed['shared/htsget'], 'shared/htsget', 'shared/crypt4gh']
allowed['shared/vault'] = [...allowed['shared/htsget'], 'shared/htsget', 'shared/crypt4gh']
allowed['shared/aws'] = [...allowed['shared/vault'], 'shared/vault']
allowed['shared/local'] = [...allowed['shared/vault'], 'shared/vault']
allowed['functions'] = [...allowed['shared/aws'], 'shared/aws']
allowed['cli'] = [...allowed['functions'], 'shared/local', 'shared/client', 'functions']
allowed['infra'] = []

const folders = Object.keys(allowed)

function sourcesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts'))
    .map(path => posix.join(folder, path))
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [
    ...text.matchAll(
      /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s+['"]([^'"]+)['"]/g,
    ),
  ].map(m => m[1] ?? m[2] ?? m[3]!)
}

/** `#shared/bgzf/x.ts` or `../bgzf/x.ts` as a path from the root; undefined for packages. */
function resolveLocal(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('#')) return specifier.slice(1)
  if (specifier.startsWith('.')) return posix.join(posix.dirname(file), specifier)
  return undefined
}

const folderOf = (path: string) => folders.find(f => path.startsWith(`${f}/`))

describe('the walls', () => {
  test.each(folders)('%s holds code', folder => {
    expect(sourcesBelow(folder).length).toBeGreaterThan(0)
  })

  test.each(folders)('%s imports only what is below it', folder => {
    const strays: string[] = []
    for (const file of sourcesBelow(folder))
      for (const specifier of importsOf(file)) {
        const target = resolveLocal(file, specifier)
        if (target === undefined || target === 'shared/errors.ts') continue
        const to = folderOf(target)
        if (to === undefined || (to !== folder && !allowed[folder]!.includes(to)))
          strays.push(`${file} -> ${specifier}`)
      }
    expect(strays).toEqual([])
  })

  test('AWS packages are known to shared/aws and infra alone', () => {
    const strays = folders
      .filter(f => f !== 'shared/aws' && f !== 'infra')
      .flatMap(f => sourcesBelow(f))
      .filter(file => importsOf(file).some(s => /^(@aws-sdk|@smithy|aws-cdk-lib|constructs|cdk-nag)/.test(s)))
    expect(strays).toEqual([])
  })

  test('the disk and the network are known to shared/local and the command line alone', () => {
    const strays = folders
      .filter(f => f !== 'shared/local' && f !== 'cli' && f !== 'infra')
      .flatMap(f => sourcesBelow(f))
      .filter(file => importsOf(file).some(s => /^node:(fs|http|https|net)(\/|$)/.test(s)))
    expect(strays).toEqual([])
  })

  test('crypt4gh runs in a browser: node: is imported only by its node backend', () => {
    const strays = sourcesBelow('shared/crypt4gh')
      .filter(file => !file.startsWith('shared/crypt4gh/node/'))
      .filter(file => importsOf(file).some(s => s.startsWith('node:')))
    expect(strays).toEqual([])
  })
})
