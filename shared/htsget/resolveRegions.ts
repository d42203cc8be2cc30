import type { Reference } from '#shared/indexes/FileIndexer.ts'
import type { Region } from '#shared/indexes/blockMap/Region.ts'
import { HtsgetError } from './HtsgetError.ts'
import { safe, type HtsgetQuery } from './HtsgetQuery.ts'

/** The ids by name: thousands of regions may ask a file of thousands of references. */
const known = new WeakMap<readonly Reference[], ReadonlyMap<string, number>>()

function idsOf(references: readonly Reference[]): ReadonlyMap<string, number> {
  const found = known.get(references)
  if (found) return found
  const ids = new Map<string, number>()
  for (const [i, { name }] of references.entries()) if (!ids.has(name)) ids.set(name, i)
  known.set(references, ids)
  return ids
}

/**
 * A query's regions by the ids of the file's references; regions without a base are left out.
 * @throws HtsgetError NotFound where the file has no reference of that name
 */
export function resolveRegions(
  { datatype, regions = [] }: Pick<HtsgetQuery, 'datatype' | 'regions'>,
  references: readonly Reference[],
): Region[] {
  const ids = idsOf(references)
  const resolved: Region[] = []
  for (const { referenceName, start = 0, end = Infinity } of regions) {
    if (datatype === 'reads' && referenceName === '*') {
      resolved.push('unplaced')
      continue
    }
    const refId = ids.get(referenceName)
    if (refId === undefined)
      throw new HtsgetError('NotFound', `the file has no reference ${safe(referenceName)}`)
    if (start < end) resolved.push({ refId, start, end })
  }
  return resolved
}
