import { describe, expect, test } from '@jest/globals'
import { readColumns, writeColumns } from '#shared/columns/columnsCode.ts'
import { chooseColumns, keepsTag, optionalFields } from '#shared/columns/RecordColumns.ts'
import { errorOf } from '#test/support/indexing.ts'

describe('what is asked for', () => {
  test('is everything where nothing is left out', () => {
    const all = ['FLAG', 'RNAME', 'POS', 'CIGAR', ...optionalFields]
    for (const lists of [{}, { fields: all }, { notags: [] }, { notags: ['not a tag', '', 'x'] }])
      expect(chooseColumns(lists)).toBeUndefined()
  })

  test('has SEQ where it has QUAL', () => {
    expect(chooseColumns({ fields: ['QUAL'] })?.fields).toEqual(new Set(['SEQ', 'QUAL']))
    expect(chooseColumns({ fields: ['SEQ'] })?.fields).toEqual(new Set(['SEQ']))
  })

  test('is no tag, these tags, or all but these', () => {
    const kept = (lists: Parameters<typeof chooseColumns>[0]) =>
      ['NM', 'OQ', 'x%'].filter(tag => keepsTag(chooseColumns(lists)!, tag))
    expect(kept({ tags: [] })).toEqual([])
    expect(kept({ tags: ['NM', 'x%', 'XYZ'] })).toEqual(['NM', 'x%'])
    expect(kept({ notags: ['NM'] })).toEqual(['OQ', 'x%'])
    expect(kept({ fields: [] })).toEqual(['NM', 'OQ', 'x%'])
    // The two lists do not meet, so the first one says it all.
    expect(kept({ tags: ['NM'], notags: ['OQ'] })).toEqual(['NM'])
  })

  test('is all tags where the list is longer than any file has', () => {
    const many = Array.from({ length: 101 }, (_, i) => `a${String.fromCharCode(33 + (i % 94))}`)
    const names = [...many, ...many.map(name => name.replace('a', 'b'))]
    expect(chooseColumns({ tags: names })).toBeUndefined()
    expect(chooseColumns({ tags: many })?.tags.kind).toBe('only')
  })
})

describe('the code of columns', () => {
  test('is short, and read as it was written', () => {
    for (const [lists, code] of [
      [{ tags: [] }, 'NMRPTSQ+'],
      [{ fields: ['SEQ'], tags: ['NM', 'MD', 'MD'] }, 'S+MDNM'],
      [{ fields: [], notags: ['-+', 'OQ'] }, '--+OQ'],
    ] as const) {
      const columns = chooseColumns(lists)!
      expect(writeColumns(columns)).toBe(code)
      expect(readColumns(code)).toEqual(columns)
    }
  })

  test.each(['', 'X+', 'S', 'S+N', 'S+ N', 'S*NM'])('%j is none', code => {
    expect(errorOf(() => readColumns(code))?.code).toBe('TOKEN_INVALID')
  })
})
