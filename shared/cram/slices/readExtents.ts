import type { CompressionHeader } from '../CompressionHeader.ts'
import { corrupt, tooLarge } from '../cramErrors.ts'
import type { Encoding } from '../encodings/Encoding.ts'
import { arraySkipper, bytesSkipper, valueReader } from '../encodings/readers.ts'
import { SliceData, type StoredBlock } from '../encodings/SliceData.ts'
import { featureLimit, recordLimit } from '../limits.ts'
import type { SliceHeader } from '../SliceHeader.ts'
import type { SeriesPlan } from './planSeries.ts'

/** One record: reference (-1: none), first and last position, 1-based; an unmapped one lies on its position alone. */
export type TakeExtent = (refId: number, first: number, last: number) => void

/** Flags of BF and CF (CRAMv3 §10.2). */
const bamUnmapped = 4
const bamFlags = 1 << 12
const qualitiesKept = 1
const detached = 2
const mateDownstream = 4
/** Not in the specification; htslib writes it from 1.14 on, for template lengths that do not follow from the mates. */
const explicitLength = 16

/**
 * Tells of each record of a slice of several references where it lies, and decodes no more than that takes
 * (CRAMv3 §10; feature by feature as htslib does).
 *
 * `sliceBytes` is the size of the whole slice in the file; `blocks` are those of it that `plan` names.
 * @throws HtsvaultError CRAM_CORRUPT, CRAM_TOO_LARGE, CRAM_UNSUPPORTED
 */
export function readExtents(
  compression: CompressionHeader,
  plan: SeriesPlan,
  slice: SliceHeader,
  sliceBytes: number,
  blocks: readonly StoredBlock[],
  take: TakeExtent,
): void {
  const maxRecords = recordLimit(sliceBytes)
  const maxFeatures = featureLimit(sliceBytes)
  if (slice.records > maxRecords)
    throw tooLarge(`a slice has ${slice.records} records, ${maxRecords} are allowed`)
  const data = new SliceData(blocks)
  const encodingOf = (key: string) => (plan.series.has(key) ? compression.series.get(key) : undefined)
  const value = (key: string, type: 'integer' | 'byte' = 'integer') => {
    const encoding = encodingOf(key)
    return encoding && valueReader(encoding, data, type)
  }
  const bytes = (key: string) => {
    const encoding = encodingOf(key)
    return encoding && bytesSkipper(encoding, data, plan.blocks)
  }
  const readFlags = required('BF', value('BF'))
  const readReference = required('RI', value('RI'))
  const readLength = required('RL', value('RL'))
  const readPosition = required('AP', value('AP'))
  const readCramFlags = value('CF')
  const readGroup = value('RG')
  const skipName = array('RN')
  const mate = [value('MF'), value('NS'), value('NP'), value('TS')] as const
  const readNextFragment = value('NF')
  const readTagLine = value('TL')
  const skipTags = tagSkippers(compression, plan, data)
  const readMappingQuality = value('MQ')
  const skipBases = bytes('BA')
  const skipQualities = bytes('QS')
  const readSpan = featureReader()

  function array(key: string) {
    const encoding = encodingOf(key)
    return encoding && arraySkipper(encoding, data, plan.blocks)
  }

  let position = slice.start
  for (let i = 0; i < slice.records; i++) {
    const flags = readFlags()
    if (flags < 0 || flags >= bamFlags) throw corrupt('a record has flags that cannot be')
    const cramFlags = readCramFlags ? readCramFlags() : 0
    const refId = readReference()
    const length = readLength()
    if (length < 0) throw corrupt('a record has a negative length')
    position = readPosition() + (compression.positionDeltas ? position : 0)
    readGroup?.()
    if (compression.namesKept) skipName?.()
    if (cramFlags & detached) {
      mate[0]?.()
      if (!compression.namesKept) skipName?.()
      mate[1]?.()
      mate[2]?.()
      mate[3]?.()
    } else {
      if (cramFlags & mateDownstream) readNextFragment?.()
      if (cramFlags & explicitLength) mate[3]?.()
    }
    if (readTagLine) skipTags(readTagLine())
    if (flags & bamUnmapped) {
      take(refId, position, position)
      skipBases?.(length)
    } else {
      if (position <= 0) throw corrupt('a mapped record has no position')
      take(refId, position, Math.max(position, position - 1 + readSpan(length)))
      readMappingQuality?.()
    }
    if (cramFlags & qualitiesKept) skipQualities?.(length)
  }

  /** Reads a mapped record's features; tells how many bases of the reference it spans. */
  function featureReader(): (length: number) => number {
    const readCount = value('FN')
    const readCode = value('FC', 'byte')
    const readPlace = value('FP')
    const deletion = value('DL')
    const refSkip = value('RS')
    const hardClip = value('HC')
    const padding = value('PD')
    const softClip = array('SC')
    const insertion = array('IN')
    const severalBases = array('BB')
    const severalQualities = array('QQ')
    const substitution = value('BS', 'byte')
    const oneQuality = value('QS', 'byte')
    const oneBase = value('BA', 'byte')
    let left = maxFeatures
    return length => {
      const count = required('FN', readCount)()
      if (count < 0) throw corrupt('a record has a negative number of features')
      left -= count
      if (left < 0) throw tooLarge(`a slice has over ${maxFeatures} read features`)
      let span = 0
      // In bases of the read, 1-based: what no feature covers is aligned.
      let place = 0
      let next = 1
      for (let i = 0; i < count; i++) {
        const code = required('FC', readCode)()
        place += required('FP', readPlace)()
        if (place <= 0) throw corrupt('a read feature stands before its read')
        if (place > next) {
          if (place > length + 1) throw corrupt('a read feature stands after its read')
          span += place - next
          next = place
        }
        switch (code) {
          case 0x58: // X
            substitution?.()
            next++
            span++
            break
          case 0x42: // B
            oneBase?.()
            oneQuality?.()
            next++
            span++
            break
          case 0x62: {
            // b
            const bases = required('BB', severalBases)()
            next += bases
            span += bases
            break
          }
          case 0x44: // D
            span += required('DL', deletion)()
            break
          case 0x4e: // N
            span += required('RS', refSkip)()
            break
          case 0x53: // S
            next += softClip ? softClip() : 1
            break
          case 0x49: // I
            next += required('IN', insertion)()
            break
          case 0x69: // i
            oneBase?.()
            next++
            break
          case 0x51: // Q
            oneQuality?.()
            break
          case 0x71: // q
            severalQualities?.()
            break
          case 0x48: // H
            hardClip?.()
            break
          case 0x50: // P
            padding?.()
            break
          default:
            throw corrupt('a record has a read feature that CRAM does not have')
        }
      }
      return length >= next ? span + length - next + 1 : span
    }
  }
}

function tagSkippers(compression: CompressionHeader, plan: SeriesPlan, data: SliceData) {
  const skipper = (tag: number) => {
    const encoding: Encoding | undefined = plan.tags.has(tag) ? compression.tags.get(tag) : undefined
    return encoding && arraySkipper(encoding, data, plan.blocks)
  }
  const lines = compression.tagLines.map(line => line.map(skipper).filter(skip => skip !== undefined))
  return (number: number): void => {
    const line = lines[number]
    if (!line) throw corrupt('a record has a tag line that its container has not')
    for (const skip of line) skip()
  }
}

function required<T>(key: string, reader: T | undefined): T {
  if (!reader) throw corrupt(`a container does not say how ${key} is encoded`)
  return reader
}
