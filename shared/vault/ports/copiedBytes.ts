import { crc64nvme, joinCrc64nvme } from '#shared/bytes/crc64nvme.ts'
import { HtsvaultError } from '#shared/errors.ts'
import type { CopiedPart, StoredBytes } from './ObjectStore.ts'

/** The bytes of a part that is copied by reading it, its lead first. @throws HtsvaultError STORE_UNAVAILABLE where they are others */
export async function* copiedBytes({ lead, from }: CopiedPart): AsyncGenerator<Uint8Array> {
  if (lead) yield lead
  let crc = 0n
  for await (const chunk of from.store.stream(from.key, from.start, from.end, from.etag, { reuse: true })) {
    crc = crc64nvme(chunk, crc)
    yield chunk
  }
  if (crc !== from.crc64nvme) throw otherBytes(from)
}

/** The CRC-64/NVME of a part that is copied, its lead included. */
export const copiedCrc = ({ lead, from }: CopiedPart): bigint =>
  lead ? joinCrc64nvme(crc64nvme(lead), from.crc64nvme, from.end - from.start) : from.crc64nvme

/** What was copied is not what somebody read before: one of both was not what is stored. */
export const otherBytes = ({ key }: Pick<StoredBytes, 'key'>) =>
  new HtsvaultError('STORE_UNAVAILABLE', 'the store copied other bytes than were read', {
    place: { file: key },
  })
