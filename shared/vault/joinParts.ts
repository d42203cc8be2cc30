import { joinCrc64nvme } from '#shared/bytes/crc64nvme.ts'
import { HtsvaultError } from '#shared/errors.ts'

/** A part that a store has; the first is 1. */
export interface KeptPart {
  readonly number: number
  /** Length in bytes. */
  readonly size: number
  /** The CRC-64/NVME that it was handed over with; absent where the store does not tell. */
  readonly crc64nvme?: bigint | undefined
}

/**
 * The CRC-64/NVME of an object made of these parts; nothing where that of one is not known.
 * @throws HtsvaultError UPLOAD_INCOMPLETE where they are not `whole.parts` parts of `whole.size` bytes together
 */
export function joinParts(
  parts: readonly KeptPart[],
  whole: { readonly parts: number; readonly size: number },
): bigint | undefined {
  const total = parts.reduce((sum, { size }) => sum + size, 0)
  if (parts.length !== whole.parts || total !== whole.size)
    throw new HtsvaultError(
      'UPLOAD_INCOMPLETE',
      `${parts.length} parts of ${total} bytes are there, of ${whole.parts} parts of ${whole.size} bytes`,
    )
  let joined: bigint | undefined = 0n
  for (const { size, crc64nvme } of parts.toSorted((a, b) => a.number - b.number)) {
    if (crc64nvme === undefined) return undefined
    joined = joinCrc64nvme(joined, crc64nvme, size)
  }
  return joined
}
