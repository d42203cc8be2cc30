import { describe, expect, test } from '@jest/globals'
import { virtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import {
  defaultLimits,
  planHeader,
  planRecords,
  planRuns,
  planWhole,
  type Piece,
} from '#shared/htsget/planTicket.ts'
import type { UnitRun } from '#shared/indexes/blockMap/UnitRun.ts'

const v = virtualOffset
const limits = { pieceBytes: 1000, gapBytes: 100, inlineBytes: 50 }
const header = Uint8Array.from([1, 2, 3])
const eof = Uint8Array.from([9, 9])
const file = { header, headerVerbatim: false, eof, headerEnd: v(200, 0), fileSize: 10_002 }
const cram = { ...file, headerVerbatim: true, headerEnd: v(3, 0) }
const run = (start: number, startWithin: number, border: number, end: number, endWithin = 0): UnitRun => ({
  start: v(start, startWithin),
  end: v(end, endWithin),
  border,
})
const inlineHeader = { kind: 'inline', bytes: header, class: 'header' }
const inlineEof = { kind: 'inline', bytes: eof, class: 'body' }
const body = (pieces: readonly Piece[]) => pieces.slice(1, -1)

describe('the header alone', () => {
  test('stands in the ticket, with the EOF marker', () => {
    expect(planHeader(file, limits)).toEqual([inlineHeader, inlineEof])
  })

  test('comes from the file where it is long: whole blocks as they are, the last one cut', () => {
    const long = { ...file, header: new Uint8Array(51), headerEnd: v(1500, 7) }
    expect(planHeader(long, limits)).toEqual([
      { kind: 'bytes', start: 0, end: 1000, class: 'header' },
      { kind: 'bytes', start: 1000, end: 1500, class: 'header' },
      { kind: 'virtual', start: v(1500, 0), end: v(1500, 7), class: 'header' },
      inlineEof,
    ])
    expect(planHeader({ ...long, header: undefined }, limits)).toEqual(planHeader(long, limits))
  })
})

describe('the whole file', () => {
  test('is its own bytes, without classes where its header is not the one of other tickets', () => {
    const pieces = planWhole({ ...file, fileSize: 2500 }, limits)
    expect(pieces).toEqual([
      { kind: 'bytes', start: 0, end: 1000 },
      { kind: 'bytes', start: 1000, end: 2000 },
      { kind: 'bytes', start: 2000, end: 2500 },
    ])
  })

  test('has the classes of a CRAM, whose header is always the same bytes', () => {
    expect(planWhole({ ...cram, fileSize: 800 }, limits)).toEqual([
      inlineHeader,
      { kind: 'bytes', start: 3, end: 800, class: 'body' },
    ])
  })

  test('has classes where a long header ends with a block', () => {
    const long = { ...file, header: undefined, fileSize: 900 }
    expect(planWhole(long, limits)).toEqual([
      { kind: 'bytes', start: 0, end: 200, class: 'header' },
      { kind: 'bytes', start: 200, end: 900, class: 'body' },
    ])
    expect(planWhole({ ...long, headerEnd: v(200, 5) }, limits)).toEqual([
      { kind: 'bytes', start: 0, end: 900 },
    ])
  })

  test('of 100 GB has at most 2,000 pieces, which grow', () => {
    const pieces = planWhole({ ...file, fileSize: 100e9 })
    expect(pieces.length).toBeLessThanOrEqual(2000)
    expect(pieces.length).toBeGreaterThan(1900)
    const few = planWhole({ ...file, fileSize: 11e9 }) as { start: number; end: number }[]
    expect(Math.max(...few.map(({ start, end }) => end - start))).toBe(defaultLimits.pieceBytes)
  })
})

describe('runs of units', () => {
  test('that are none give a file of header and EOF marker', () => {
    expect(planRuns(file, [], limits)).toEqual([inlineHeader, inlineEof])
  })

  test('of whole blocks are bytes of the file', () => {
    expect(body(planRuns(file, [run(300, 0, 300, 400)], limits))).toEqual([
      { kind: 'bytes', start: 300, end: 400, class: 'body' },
    ])
  })

  test('that are short and cut are one piece', () => {
    expect(body(planRuns(file, [run(300, 5, 700, 900, 6)], limits))).toEqual([
      { kind: 'virtual', start: v(300, 5), end: v(900, 6), class: 'body' },
    ])
  })

  test('that are long and cut are cut only at their ends', () => {
    expect(body(planRuns(file, [run(300, 5, 700, 2600, 6)], limits))).toEqual([
      { kind: 'virtual', start: v(300, 5), end: v(700, 0), class: 'body' },
      { kind: 'bytes', start: 700, end: 1700, class: 'body' },
      { kind: 'bytes', start: 1700, end: 2600, class: 'body' },
      { kind: 'virtual', start: v(2600, 0), end: v(2600, 6), class: 'body' },
    ])
  })

  test('are joined over a gap that is cheaper to read, and over none that is wider', () => {
    const runs = [run(300, 0, 300, 400), run(500, 0, 500, 600), run(701, 0, 701, 800)]
    expect(body(planRuns(file, runs, limits))).toEqual([
      { kind: 'bytes', start: 300, end: 600, class: 'body' },
      { kind: 'bytes', start: 701, end: 800, class: 'body' },
    ])
  })

  test('of any number make a ticket of at most 2,000 pieces', () => {
    const runs = Array.from({ length: 50_000 }, (_, i) =>
      run(i * 900_000, 3, i * 900_000 + 40, i * 900_000 + 90, 2),
    )
    const pieces = planRuns(file, runs)
    expect(pieces.length).toBeLessThanOrEqual(2000)
    expect(pieces.length).toBeGreaterThan(100)
  })
})

describe('records of which columns are left out', () => {
  const records = (start: number, startWithin: number, end: number, endWithin = 0) =>
    ({ kind: 'records', start: v(start, startWithin), end: v(end, endWithin), class: 'body' }) as const
  const planned = (units: readonly UnitRun[]) => planRecords(file, units, limits).slice(1, -1)

  test('are pieces that begin and end where units do, joined up to the length of a piece', () => {
    const units = [run(300, 5, 700, 900, 6), run(900, 6, 1000, 1250), run(1250, 0, 1250, 1400)]
    expect(planned(units)).toEqual([records(300, 5, 1250), records(1250, 0, 1400)])
  })

  test('are read over a narrow gap, and never over a wide one', () => {
    const units = [run(300, 0, 300, 400), run(500, 0, 500, 600), run(701, 0, 701, 800)]
    expect(planned(units)).toEqual([records(300, 0, 600), records(701, 0, 800)])
  })

  test('stand between the header and the EOF marker as ever', () => {
    expect(planRecords(file, [], limits)).toEqual([inlineHeader, inlineEof])
  })

  test('of any number and length make a ticket of at most 2,000 pieces', () => {
    const units = (count: number, gap: number) =>
      Array.from({ length: count }, (_, i) =>
        run(i * (5_000_000 + gap), 0, 0, i * (5_000_000 + gap) + 5_000_000),
      )
    for (const many of [units(20_000, 0), units(20_000, 1), units(20_000, 10_000_000)]) {
      const pieces = planRecords(file, many)
      expect(pieces.length).toBeLessThanOrEqual(2000)
      expect(pieces.length).toBeGreaterThan(400)
    }
    const few = planRecords(file, units(200, 0))
    expect(few).toHaveLength(202)
  })
})

test('every plan has classes on all pieces or on none', () => {
  const plans = [file, cram, { ...file, header: undefined }].flatMap(of => [
    planHeader(of, limits),
    planWhole(of, limits),
    planRuns(of, [run(300, 5, 700, 2600, 6)], limits),
  ])
  for (const pieces of plans) expect(new Set(pieces.map(piece => piece.class === undefined)).size).toBe(1)
})
