import { describe, expect, test } from '@jest/globals'
import { baseKey, fileId, isPartOf, parseUploadKey, partKey } from '#shared/vault/names.ts'

describe('upload keys', () => {
  test.each([
    ['demo/x.bam', 'demo/x', 'x.bam'],
    ['demo/x.cram', 'demo/x', 'x.cram'],
    ['demo/x.vcf.gz', 'demo/x', 'x.vcf.gz'],
    ['demo/x.vcf.bgz', 'demo/x', 'x.vcf.bgz'],
    ['demo/x.bcf', 'demo/x', 'x.bcf'],
    ['study/run.1/NA 12878.final.BAM', 'study/run.1/NA 12878.final', 'run.1/NA 12878.final.BAM'],
    ['study/é/x', 'study/é/x', 'é/x'],
    ['demo/x.bam.c4gh', 'demo/x', 'x.bam.c4gh'],
    ['demo/x.C4GH', 'demo/x', 'x.C4GH'],
    ['demo/x.c4gh.bam', 'demo/x.c4gh', 'x.c4gh.bam'],
  ])('%s has the id %s', (key, id, name) => {
    const upload = parseUploadKey(key)
    expect(upload.name).toBe(name)
    expect(fileId(upload)).toBe(id)
  })

  test.each(['x.bam', '/x.bam'])('%s lies in no dataset', key => {
    expect(() => parseUploadKey(key)).toThrow(expect.objectContaining({ code: 'NO_DATASET' }))
  })

  test.each([
    'd//x',
    'd/../x',
    '_htsvault/x.bam',
    'd/./x',
    'd/.bam',
    '.d/x',
    'd/a\\b',
    'd/a\nb',
    'd/a?b',
    `d/${'x'.repeat(201)}`,
    `d/${'x/'.repeat(450)}y`,
    'd/',
  ])('%j cannot be kept', key => {
    expect(() => parseUploadKey(key)).toThrow(expect.objectContaining({ code: 'INVALID_NAME' }))
  })
})

describe("a file's parts", () => {
  const base = baseKey('demo/x', 'BAM')

  test('have keys of their own', () => {
    expect(partKey(base, 'body', { encrypted: true })).toBe('demo/x.bam.c4gh')
    expect(partKey(base, 'bai', { encrypted: true })).toBe('demo/x.bam.bai.c4gh')
    expect(partKey(base, 'blockmap', { encrypted: false, generation: 'g0123abcd' })).toBe(
      'demo/x.bam.g0123abcd.blockmap',
    )
  })

  test('are told from those of files with longer names', () => {
    for (const part of ['body', 'bai', 'blockmap'] as const)
      for (const encrypted of [true, false])
        for (const generation of [undefined, 'g0123abcd'])
          expect(isPartOf(base, partKey(base, part, { encrypted, generation }))).toBe(true)
    for (const other of ['demo/x.bam.bai', 'demo/x.bam.c4gh', 'demo/x.bamboo', 'demo/x.bam/y'])
      expect(isPartOf(base, partKey(baseKey(other, 'BAM'), 'body', { encrypted: true }))).toBe(false)
    expect(isPartOf(base, 'demo/x.bam.manifest.json')).toBe(false)
  })
})
