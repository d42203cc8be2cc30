import { describe, expect, test } from '@jest/globals'
import { checkReferences } from '#shared/indexes/dictionary/checkReferences.ts'
import { readDictionary } from '#shared/indexes/dictionary/readDictionary.ts'

const sum = (digit: string) => digit.repeat(32)
const dict = Buffer.from(
  `@HD\tVN:1.6\n@SQ\tSN:chr1\tLN:1000\tM5:${sum('a')}\tUR:file:x.fa\n@SQ\tLN:500\tSN:chr2\r\n@SQ\tSN:chrM\tLN:16\n`,
)

describe('a dictionary', () => {
  test('of .dict lines and of .fai lines', () => {
    expect([...readDictionary(dict)]).toEqual([
      ['chr1', { length: 1000, md5: sum('a') }],
      ['chr2', { length: 500 }],
      ['chrM', { length: 16 }],
    ])
    expect([...readDictionary(Buffer.from('chr1\t1000\t6\t60\t61\nchr 2\t500\t1030\t60\t61\n'))]).toEqual([
      ['chr1', { length: 1000 }],
      ['chr 2', { length: 500 }],
    ])
  })

  test.each([
    ['', undefined],
    ['>chr1\nACGT\n', 1],
    ['chr1\t10\nchr1\t10\n', 2],
    ['@SQ\tSN:a\tLN:1\n@SQ\tSN:b\n', 2],
    ['@SQ\tSN:a\tLN:-1\n', 1],
    ['@HD\tVN:1.6\n', undefined],
  ])('%j is none', (text, line) => {
    expect(() => readDictionary(Buffer.from(text))).toThrow(
      expect.objectContaining({
        code: 'DICTIONARY_INVALID',
        place: line === undefined ? undefined : { line },
      }),
    )
  })
})

describe('references', () => {
  const dictionary = readDictionary(dict)
  test.each([
    [
      'all of them',
      [
        { name: 'chr1', length: 1000, md5: sum('A') },
        { name: 'chr2', length: 500 },
      ],
    ],
    ['fewer, in another order, without lengths', [{ name: 'chrM' }, { name: 'chr1' }]],
    ['one MD5 alone', [{ name: 'chr2', length: 500, md5: sum('b') }]],
    ['none', []],
  ])('%s fit', (_, references) => {
    expect(() => checkReferences(references, dictionary)).not.toThrow()
  })

  test.each([
    [
      'names of the other kind',
      [{ name: '1', length: 1000 }, { name: 'MT' }],
      '1 is chr1 there; MT is chrM there',
      'Rename',
    ],
    [
      'another length',
      [{ name: 'chr1', length: 999 }, { name: '2' }],
      'chr1 has 999 bases, there 1000; 2 is chr2',
      'another assembly',
    ],
    [
      'another sequence',
      [{ name: 'chr1', length: 1000, md5: sum('b') }],
      'chr1 is another sequence',
      'another assembly',
    ],
    [
      'what is not there',
      ['a', 'b', 'c', 'd', 'e'].map(name => ({ name })),
      'c is not there; and 2 more',
      'samtools dict',
    ],
  ])('%s do not', (_, references, message, hint) => {
    expect(() => checkReferences(references, dictionary)).toThrow(
      expect.objectContaining({
        code: 'REFERENCES_DIFFER',
        message: expect.stringContaining(message),
        hint: expect.stringContaining(hint),
      }),
    )
  })
})
