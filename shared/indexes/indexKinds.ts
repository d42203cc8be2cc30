import { HtsvaultError } from '#shared/errors.ts'
import type { Format, IndexKind } from './FileIndexer.ts'

/** The standard indexes that a format can have, the usual one first. */
export const indexKinds = {
  BAM: ['bai', 'csi'],
  CRAM: ['crai'],
  VCF: ['tbi', 'csi'],
  BCF: ['csi'],
} as const satisfies Record<Format, readonly IndexKind[]>

/** `wanted`, where a file of this format can have it. @throws HtsvaultError INDEX_KIND_UNFIT */
export function fittingKind<F extends Format>(
  format: F,
  wanted: IndexKind | undefined,
): (typeof indexKinds)[F][number] | undefined {
  const kinds: readonly (typeof indexKinds)[F][number][] = indexKinds[format]
  const kind = kinds.find(each => each === wanted)
  if (wanted !== undefined && kind === undefined)
    throw new HtsvaultError('INDEX_KIND_UNFIT', `a ${format} file has no ${wanted.toUpperCase()} index`, {
      hint: `Give ${kinds.map(each => `--format ${each}`).join(' or ')}, or leave --format out.`,
    })
  return kind
}
