import { keepsTag, type RecordColumns } from '#shared/columns/RecordColumns.ts'
import { unplaced } from '../ContainerHeader.ts'
import { corrupt } from '../cramErrors.ts'
import { core, isConstant, type BlockId } from '../encodings/Encoding.ts'
import type { FileDefinition } from '../FileDefinition.ts'
import { cramFlag, type CramFlags } from './CramFlags.ts'
import type { CompressionMaps } from './CompressionMaps.ts'
import { blocksRead } from './encodings.ts'
import { isStored, readTagLines, tagName, type TagLines } from './tagLines.ts'

/** What can be left out of a container by itself: some data series, or one tag. */
interface Part {
  readonly series: readonly string[]
  readonly tag?: number
}

/** What is left out of a container, and what has to be changed for that. */
export interface FilterPlan {
  readonly names: boolean
  readonly mappingQualities: boolean
  readonly qualities: boolean
  readonly bases: boolean
  readonly readGroups: boolean
  /** No record has a tag any more: the series TL goes too. */
  readonly tagLines: boolean
  readonly tags: ReadonlySet<number>
  /** Blocks that nothing reads any more. */
  readonly blocks: ReadonlySet<number>
  /** Blocks whose bytes are all to be the same one. */
  readonly constants: ReadonlyMap<number, number>
  /** Content ids that some series or tag had: a block of another one may be an embedded reference. */
  readonly used: ReadonlySet<BlockId>
}

/** The byte that stands for «not known» in a series of bytes whose blocks are kept, with other bytes. */
export const unknownByte = { QS: 0xff, BS: 0, BA: 0x4e } as const
const unknownByteOf = new Map<string | number, number>(Object.entries(unknownByte))

const seriesOf = {
  names: ['RN'],
  mappingQualities: ['MQ'],
  qualities: ['QS'],
  bases: ['BS', 'BA'],
  readGroups: ['RG'],
  tagLines: ['TL'],
} as const
type Group = keyof typeof seriesOf

/**
 * Plans what a container does without where only some columns are asked for; undefined where that is nothing.
 *
 * Values in a block are found one after another only. So what shares a block with a series that is needed stays, and
 * so does all that is in the CORE block.
 * @throws HtsvaultError CRAM_CORRUPT, CRAM_UNSUPPORTED, and what `flags` throws
 */
export function planFilter(
  maps: CompressionMaps,
  refId: number,
  definition: FileDefinition,
  flags: CramFlags,
  columns: RecordColumns,
): FilterPlan | undefined {
  const lines = readTagLines(maps)
  const readers = readersOf(maps)
  const { fields } = columns
  const wanted = new Map<Group | number, Part>()
  const want = (group: Group) => wanted.set(group, { series: seriesOf[group] })
  if (!fields.has('QNAME')) want('names')
  if (!fields.has('MAPQ')) want('mappingQualities')
  if (!fields.has('QUAL') && qualitiesCanGo(maps, readers, flags)) want('qualities')
  if (!fields.has('SEQ') && !fields.has('QUAL') && basesCanGo()) want('bases')
  const keeps = (tag: number) => keepsTag(columns, tagName(tag)) || (made.has(tagName(tag)) && makesTags())
  if (!keepsTag(columns, 'RG')) want('readGroups')
  for (const tag of maps.tags.keys()) if (!keeps(tag)) wanted.set(tag, { series: [], tag })
  leaveOutShared(wanted, maps, readers)

  const tags = new Set(
    [...new Set([...lines.flat(), ...maps.tags.keys()])].filter(
      tag => !keeps(tag) && (wanted.has(tag) || !maps.tags.has(tag)),
    ),
  )
  if (tags.size > 0 && lines.flat().every(tag => tags.has(tag))) {
    want('tagLines')
    leaveOutShared(wanted, maps, readers)
  }
  if (wanted.size === 0) return undefined

  const constants = new Map<number, number>()
  const blocks = new Set<number>()
  const gone = new Set([...wanted.values()].flatMap(partKeys))
  for (const [block, keys] of readers) {
    if (block === core || ![...keys].every(key => gone.has(key))) continue
    const byte = [...keys].map(key => unknownByteOf.get(key)).find(value => value !== undefined)
    if (byte === undefined) blocks.add(block)
    else constants.set(block, byte)
  }
  const has = (group: Group) => wanted.has(group)
  return {
    names: has('names'),
    mappingQualities: has('mappingQualities'),
    qualities: has('qualities'),
    bases: has('bases'),
    readGroups: has('readGroups'),
    tagLines: has('tagLines'),
    tags,
    blocks,
    constants,
    used: new Set(readers.keys()),
  }

  /** Whether a reader can make tags: those that are stored stay then, asked for or not. */
  function makesTags(): boolean {
    return refId !== unplaced && !wanted.has('bases')
  }

  /**
   * Without bases no reader can make MD and NM again, as samtools does where a file does not hold them: where they are
   * asked for and not every line of tags has them, the bases stay. CRAM 2 has no flag for «no bases».
   */
  function basesCanGo(): boolean {
    if (definition.major < 3) return false
    const asked = ['MD', 'NM'].some(name => keepsTag(columns, name) && !everyLineHas(lines, name))
    if (asked && refId !== unplaced) return false
    return (
      replaceable('BS', maps, readers) && replaceable('BA', maps, readers) && flags.canAdd(cramFlag.noBases)
    )
  }
}

/**
 * Tags that samtools makes from bases and reference where a record has none, and what tells it not to (`cF`, which is
 * htslib's own and no tag of the record). What is in the file may differ from what is made.
 */
const made = new Set(['MD', 'NM', 'cF'])

const everyLineHas = (lines: TagLines, name: string): boolean =>
  lines.length > 0 && lines.every(line => line.some(tag => tagName(tag) === name && isStored(tag)))

/** Which series and tags read each block. */
type Readers = ReadonlyMap<BlockId, ReadonlySet<string | number>>

function readersOf({ series, tags }: CompressionMaps): Readers {
  const readers = new Map<BlockId, Set<string | number>>([[core, new Set()]])
  for (const [key, { encoding }] of [...series, ...tags]) {
    const blocks = blocksRead(encoding)
    if (!blocks) throw corrupt('a data series is in an encoding that CRAM does not have')
    for (const block of blocks) readers.set(block, (readers.get(block) ?? new Set()).add(key))
  }
  return readers
}

/** A reader invents qualities where a record says that it has none of its own, so all of them must say they have. */
function qualitiesCanGo(maps: CompressionMaps, readers: Readers, flags: CramFlags): boolean {
  const stretches = maps.series.get('QQ')
  const blocks = stretches ? blocksRead(stretches.encoding)! : []
  return (
    blocks.every(block => flags.isEmpty(block)) &&
    replaceable('QS', maps, readers) &&
    flags.allHave(cramFlag.qualitiesKept)
  )
}

/** Whether all bytes of a series can be made the same: it has a block of its own, or is constant already. */
function replaceable(key: keyof typeof unknownByte, { series }: CompressionMaps, readers: Readers): boolean {
  const encoding = series.get(key)?.encoding
  if (!encoding) return true
  if (encoding.kind === 'huffman') return isConstant(encoding)
  return encoding.kind === 'external' && readers.get(encoding.contentId)!.size === 1
}

const partKeys = ({ series, tag }: Part): (string | number)[] => (tag === undefined ? [...series] : [tag])

/** Takes those parts away that read a block which is needed, until there is none. */
function leaveOutShared(
  wanted: Map<Group | number, Part>,
  { series, tags }: CompressionMaps,
  readers: Readers,
): void {
  for (let size = -1; size !== wanted.size;) {
    size = wanted.size
    const gone = new Set([...wanted.values()].flatMap(partKeys))
    for (const [name, part] of wanted) {
      const blocks = partKeys(part).flatMap(key => {
        const stored = typeof key === 'number' ? tags.get(key) : series.get(key)
        return stored ? blocksRead(stored.encoding)! : []
      })
      const needed = blocks.some(
        block => block === core || ![...readers.get(block)!].every(key => gone.has(key)),
      )
      if (needed) wanted.delete(name)
    }
  }
}
