import { readFileHeader } from '#shared/client/records/readRecords.ts'
import { needsNames, parseSamtoolsRegion } from '#shared/client/samtoolsRegion.ts'
import { streamFile, type FileOptions } from '#shared/client/streamFile.ts'
import type { Target } from '#shared/client/TicketQuery.ts'
import { HtsvaultError } from '#shared/errors.ts'
import type { QueryRegion } from '#shared/htsget/HtsgetQuery.ts'
import type { Format } from '#shared/indexes/FileIndexer.ts'

/**
 * Regions as samtools reads them; undefined for the whole file. Where there is a colon, a name may have it too: the header
 * of the file tells, which is fetched for it.
 * @throws HtsvaultError REGION_INVALID, REGION_AMBIGUOUS; what fetching the header throws
 */
export async function resolveRegions(
  texts: readonly string[],
  target: Target,
  format: Format | undefined,
  options: FileOptions,
): Promise<QueryRegion[] | undefined> {
  // Wrong ones are told before anything is fetched.
  for (const text of texts) parseSamtoolsRegion(text)
  const names = texts.some(needsNames) ? await fetchNames(target, format, options) : undefined
  const regions = texts.map(text => parseSamtoolsRegion(text, names))
  const placed = regions.filter(region => region !== undefined)
  return placed.length === regions.length && placed.length > 0 ? placed : undefined
}

/** The references of the file; undefined where the server gives no header apart. */
async function fetchNames(
  target: Target,
  format: Format | undefined,
  options: FileOptions,
): Promise<Set<string> | undefined> {
  try {
    const query = { headerOnly: true, ...(format && { format }) }
    const { references } = await readFileHeader(streamFile(target, query, options))
    return new Set(references.map(({ name }) => name))
  } catch (error) {
    if (error instanceof HtsvaultError && ['INVALID_INPUT', 'UNSUPPORTED_FORMAT'].includes(error.code))
      return undefined
    throw error
  }
}
