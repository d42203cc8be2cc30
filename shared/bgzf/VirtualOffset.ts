/**
 * A BGZF virtual offset (SAMv1 §4.1.1): where a block starts in the file, and a place in what it inflates to.
 *
 *     bits  52                                16 15              0
 *          +------------------------------------+----------------+
 *          | offset of the block in the file    | offset within  |
 *          +------------------------------------+----------------+
 *
 * Kept in a float64, which is exact for files up to 128 GiB compressed (2^37 bytes); a longer file is refused
 * where it is read (FILE_TOO_LARGE). Units that are not BGZF (CRAM containers) have `within` 0.
 */
export type VirtualOffset = number & { readonly __brand: 'VirtualOffset' }

/** The largest block offset that a VirtualOffset can hold, in bytes. */
export const maxBlockOffset = 2 ** 37 - 1

export const virtualOffset = (block: number, within: number): VirtualOffset =>
  (block * 65536 + within) as VirtualOffset

/** Offset of the block in the file, in bytes. */
export const blockOf = (offset: VirtualOffset): number => Math.floor(offset / 65536)

/** Offset within the inflated block, in bytes: 0 to 65535. */
export const withinOf = (offset: VirtualOffset): number => offset % 65536

/** The way it is written in messages: `block:within`, decimal. */
export const formatVirtualOffset = (offset: VirtualOffset): string => `${blockOf(offset)}:${withinOf(offset)}`

/** Virtual offsets `start` (included) to `end` (excluded). */
export interface VirtualRange {
  readonly start: VirtualOffset
  readonly end: VirtualOffset
}
