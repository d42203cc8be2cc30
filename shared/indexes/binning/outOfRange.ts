import { formatVirtualOffset, type VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { HtsvaultError } from '#shared/errors.ts'

/** The error for a record that no bin of a scheme up to `schemeEnd` holds. */
export function outOfRange(isReversed: boolean, schemeEnd: number, start?: VirtualOffset): HtsvaultError {
  const place = start === undefined ? {} : { virtualOffset: formatVirtualOffset(start) }
  return isReversed
    ? new HtsvaultError('RECORD_ENDS_BEFORE_START', 'a record ends before it starts', { place })
    : new HtsvaultError('POSITION_TOO_LARGE', `a record reaches past ${schemeEnd}, where the index ends`, {
        place,
        hint: 'see whether the header gives the right reference lengths; if it does: htsvault index --format csi FILE',
      })
}
