import { describe, expect, test } from '@jest/globals'
import { needsNames, parseSamtoolsRegion } from '#shared/client/samtoolsRegion.ts'
import { codeOf } from '#test/crypt4gh/support.ts'

describe('a region as samtools reads it', () => {
  test.each([
    ['chr1', { referenceName: 'chr1' }],
    ['chr1:100', { referenceName: 'chr1', start: 99 }],
    ['chr1:100-', { referenceName: 'chr1', start: 99 }],
    ['chr1:100-0', { referenceName: 'chr1', start: 99 }],
    ['chr1:-200', { referenceName: 'chr1', end: 200 }],
    ['chr1:0-200', { referenceName: 'chr1', end: 200 }],
    ['chr1:1-200', { referenceName: 'chr1', end: 200 }],
    ['chr1:', { referenceName: 'chr1' }],
    ['chr1:5-5', { referenceName: 'chr1', start: 4, end: 5 }],
    ['chr1:1,000-2,000', { referenceName: 'chr1', start: 999, end: 2000 }],
    ['chr1:1.5k-2M', { referenceName: 'chr1', start: 1499, end: 2_000_000 }],
    ['chr1:1e3-2E4', { referenceName: 'chr1', start: 999, end: 20_000 }],
    ['chr1:2-9999999999', { referenceName: 'chr1', start: 1 }],
    ['HLA-A*01:01:5-9', { referenceName: 'HLA-A*01:01', start: 4, end: 9 }],
    ['{HLA-A*01:01}:5-9', { referenceName: 'HLA-A*01:01', start: 4, end: 9 }],
    ['{chr1:5-9}', { referenceName: 'chr1:5-9' }],
    ['*', { referenceName: '*' }],
    ['.', undefined],
  ])('%s', (text, region) => expect(parseSamtoolsRegion(text)).toEqual(region))

  test.each([
    '',
    ':1-2',
    '{chr1',
    '{chr1}1-2',
    '{}:1-2',
    'chr1:2-1',
    'chr1:a',
    'chr1:1-2x',
    'chr1:1 - 2',
    'chr1:-5-10',
  ])('%j is none', async text => expect(await codeOf(() => parseSamtoolsRegion(text))).toBe('REGION_INVALID'))

  test('is told by the names of the file where a colon may be part of one', async () => {
    const names = new Set(['chr1', 'HLA-A*01:01', 'chr2', 'chr2:5-9'])
    expect(parseSamtoolsRegion('HLA-A*01:01', names)).toEqual({ referenceName: 'HLA-A*01:01' })
    expect(parseSamtoolsRegion('HLA-A*01:01')).toEqual({ referenceName: 'HLA-A*01' })
    expect(parseSamtoolsRegion('HLA-A*01:01:7', names)).toEqual({ referenceName: 'HLA-A*01:01', start: 6 })
    expect(parseSamtoolsRegion('chr1:5-9', names)).toEqual({ referenceName: 'chr1', start: 4, end: 9 })
    expect(await codeOf(() => parseSamtoolsRegion('chr2:5-9', names))).toBe('REGION_AMBIGUOUS')
    expect(parseSamtoolsRegion('{chr2}:5-9', names)).toEqual({ referenceName: 'chr2', start: 4, end: 9 })
    expect(['chr1', 'chr1:5', '{chr1}:5', '*'].map(needsNames)).toEqual([false, true, false, false])
  })
})
