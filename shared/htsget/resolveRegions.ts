import type { Reference } from '#shared/indexes/FileIndexer.ts'
import type { Region } from '#shared/indexes/blockMap/Region.ts'
import { HtsgetError } from './HtsgetError.ts'
import { safe, type HtsgetQuery } from './HtsgetQuery.ts'

/**
 * A query's regions by the ids of the file's references; regions without a base are left out.
 * @throws HtsgetError NotFound where the file has no reference of that name
 */
export function resolveRegions(
  { datatype, regions = [] }: Pick<HtsgetQuery, 'datatype' | 'regions'>,
  references: readonly Reference[],
): Region[] {
  const resolved: Region[] = []
  for (const { referenceName, start = 0, end = Infinity } of regions) {
    if (datatype === 'reads' && referenceName === '*') {
      resolved.push('unplaced')
      continue
    }
    const refId = references.findIndex(({ name }) => name === referenceName)
    if (refId === -1) throw new HtsgetError('NotFound', `the file has no reference ${safe(referenceName)}`)
    if (start < end) resolved.push({ refId, start, end })
  }
  return resolved
}
