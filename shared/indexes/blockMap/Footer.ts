import { crc32 } from 'node:zlib'
import { HtsvaultError } from '#shared/errors.ts'
import { blockOf, type VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import type { Format } from '../FileIndexer.ts'
import { corrupt } from './corrupt.ts'

const version = 1

/** `HTSVMAP` and the version: what a map begins and ends with. */
export const magic: Uint8Array = Uint8Array.from([...new TextEncoder().encode('HTSVMAP'), version])

/** Length of the footer in bytes, the magic at its end included. */
export const footerBytes = 96

const formats: readonly Format[] = ['BAM', 'CRAM', 'VCF', 'BCF']
const headerKinds = ['none', 'compressed', 'verbatim'] as const

/** How a map keeps its file's header: not at all (too long), compressed anew, or as it stands in the file. */
export type HeaderKind = (typeof headerKinds)[number]

/** The last bytes of a map: where its parts lie, and what is known of its file. */
export interface Footer {
  readonly format: Format
  /** Levels of directories above the leaves; 0 where the root is a leaf or there are no units. */
  readonly levels: number
  readonly header: HeaderKind
  /** Lengths in bytes of the parts before the footer, in this order. */
  readonly headerBytes: number
  readonly eofBytes: number
  readonly summaryBytes: number
  readonly rootBytes: number
  /** Length of the summary when inflated. */
  readonly summaryPlainBytes: number
  /** Of these parts together. */
  readonly tailCrc32: number
  readonly headerEnd: VirtualOffset
  readonly dataEnd: VirtualOffset
  readonly fileSize: number
  /** Where the first unit begins; `dataEnd` where there is none. */
  readonly unitsStart: VirtualOffset
  /** File offset of the first block border at or after `unitsStart`. */
  readonly unitsBorder: number
  readonly units: number
}

/** Length in bytes of the parts before the footer that a reader wants at once. */
export const tailParts = (footer: Footer): number =>
  footer.headerBytes + footer.eofBytes + footer.summaryBytes + footer.rootBytes

export function writeFooter(footer: Footer): Uint8Array {
  const bytes = new Uint8Array(footerBytes)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, formats.indexOf(footer.format))
  view.setUint8(1, footer.levels)
  view.setUint8(2, headerKinds.indexOf(footer.header))
  view.setUint32(4, footer.headerBytes, true)
  view.setUint32(8, footer.eofBytes, true)
  view.setUint32(12, footer.summaryBytes, true)
  view.setUint32(16, footer.rootBytes, true)
  view.setUint32(20, footer.summaryPlainBytes, true)
  view.setUint32(24, footer.tailCrc32, true)
  view.setBigUint64(28, BigInt(footer.headerEnd), true)
  view.setBigUint64(36, BigInt(footer.dataEnd), true)
  view.setBigUint64(44, BigInt(footer.fileSize), true)
  view.setBigUint64(52, BigInt(footer.unitsStart), true)
  view.setBigUint64(60, BigInt(footer.unitsBorder), true)
  view.setBigUint64(68, BigInt(footer.units), true)
  view.setUint32(84, crc32(bytes.subarray(0, 84)), true)
  bytes.set(magic, 88)
  return bytes
}

/**
 * Reads the footer from the last bytes of a map of `mapSize` bytes.
 * @throws HtsvaultError BLOCK_MAP_CORRUPT; BLOCK_MAP_VERSION where a later version wrote it
 */
export function readFooter(tail: Uint8Array, mapSize: number): Footer {
  if (tail.length < footerBytes) throw corrupt('it is too short')
  const bytes = tail.subarray(tail.length - footerBytes)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (magic.some((byte, i) => i < 7 && bytes[88 + i] !== byte))
    throw corrupt('its last bytes are not those of one')
  if (bytes[95] !== version)
    throw new HtsvaultError(
      'BLOCK_MAP_VERSION',
      `the block map is of version ${bytes[95]!}, not ${version}`,
      {
        hint: 'Upload the file again, or use the htsvault that made it.',
      },
    )
  if (view.getUint32(84, true) !== crc32(bytes.subarray(0, 84)))
    throw corrupt('the checksum of its footer is wrong')
  const uint64 = (at: number) => {
    const value = Number(view.getBigUint64(at, true))
    if (!Number.isSafeInteger(value)) throw corrupt('a number is too large')
    return value
  }
  const format = formats[bytes[0]!]
  const header = headerKinds[bytes[2]!]
  if (format === undefined || header === undefined) throw corrupt('its footer makes no sense')
  const footer: Footer = {
    format,
    levels: bytes[1]!,
    header,
    headerBytes: view.getUint32(4, true),
    eofBytes: view.getUint32(8, true),
    summaryBytes: view.getUint32(12, true),
    rootBytes: view.getUint32(16, true),
    summaryPlainBytes: view.getUint32(20, true),
    tailCrc32: view.getUint32(24, true),
    headerEnd: uint64(28) as VirtualOffset,
    dataEnd: uint64(36) as VirtualOffset,
    fileSize: uint64(44),
    unitsStart: uint64(52) as VirtualOffset,
    unitsBorder: uint64(60),
    units: uint64(68),
  }
  if (magic.length + tailParts(footer) + footerBytes > mapSize)
    throw corrupt('its parts are longer than it is')
  const sane =
    (footer.units === 0) === (footer.rootBytes === 0) &&
    footer.headerEnd <= footer.dataEnd &&
    footer.unitsStart <= footer.dataEnd &&
    (footer.units === 0 ||
      (blockOf(footer.unitsStart) <= footer.unitsBorder && footer.unitsBorder <= blockOf(footer.dataEnd))) &&
    blockOf(footer.dataEnd) <= footer.fileSize
  if (!sane) throw corrupt('its footer makes no sense')
  return footer
}
