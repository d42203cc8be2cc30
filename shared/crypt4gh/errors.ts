import { HtsvaultError } from '#shared/errors.ts'

/** What `inspect` tells about any of these: the command most hints end in. */
const inspect = '`htsvault c4gh inspect FILE` shows what the header holds'

export const notCrypt4gh = (found: string) =>
  new HtsvaultError('NOT_CRYPT4GH', `this is not a Crypt4GH file: ${found}`, {
    place: { offset: 0 },
    hint: 'a Crypt4GH file begins with the word crypt4gh; encrypt a plain one with `htsvault c4gh encrypt -p PUB FILE`',
  })

export const unsupportedVersion = (version: number) =>
  new HtsvaultError('CRYPT4GH_VERSION_UNSUPPORTED', `Crypt4GH version ${version}; version 1 is read here`, {
    place: { offset: 8 },
  })

export const unsupportedMethod = (what: string) =>
  new HtsvaultError('CRYPT4GH_METHOD_UNSUPPORTED', what, { hint: inspect })

export const corruptHeader = (what: string, offset?: number) =>
  new HtsvaultError('CRYPT4GH_HEADER_CORRUPT', what, {
    ...(offset !== undefined && { place: { offset } }),
    hint: 'get the file again from where it came',
  })

export const headerTooLarge = (what: string, offset?: number) =>
  new HtsvaultError('CRYPT4GH_HEADER_TOO_LARGE', what, { ...(offset !== undefined && { place: { offset } }) })

export const truncatedHeader = (have: number, needed: number) =>
  new HtsvaultError(
    'CRYPT4GH_TRUNCATED',
    `the file ends within its header: it has ${have} bytes, and at least ${needed} are needed`,
    { place: { offset: have }, hint: 'the file was cut off: get it again from where it came' },
  )

export const truncatedSegment = (segment: number, bytes: number) =>
  new HtsvaultError(
    'CRYPT4GH_TRUNCATED',
    `segment ${segment} ends after ${bytes} bytes; the shortest possible has 28`,
    { place: { segment }, hint: 'the file was cut off: get it again from where it came' },
  )

export const wrongKey = (packets: number, keys: number) =>
  new HtsvaultError(
    'CRYPT4GH_WRONG_KEY',
    `${keys === 1 ? 'this key opens' : `these ${keys} keys open`} none of the header's packets (it has ${packets})`,
    { hint: `the file is for another key: ask its sender to re-encrypt it for yours; ${inspect}` },
  )

export const noDataKey = () =>
  new HtsvaultError('CRYPT4GH_NO_DATA_KEY', 'the header holds no data key for this key', { hint: inspect })

export const twoEditLists = () =>
  new HtsvaultError(
    'CRYPT4GH_TWO_EDIT_LISTS',
    'the header holds more than one edit list for one key; the specification allows one',
    { hint: 'ask the sender for a file with one edit list' },
  )

/**
 * A segment that no data key opens. A last segment that is short may be corrupt or the rest of a cut: the format
 * cannot tell which, so the code says both.
 */
export const sealedSegment = (segment: number, bytes: number, lastAndShort: boolean) =>
  lastAndShort
    ? new HtsvaultError(
        'CRYPT4GH_TRUNCATED_OR_CORRUPT',
        `segment ${segment}, the last, does not open: the file is cut off there (${bytes} bytes of a segment), or the segment is corrupt`,
        { place: { segment }, hint: 'compare its size and checksum with the sender’s, and get it again' },
      )
    : new HtsvaultError(
        'CRYPT4GH_SEGMENT_CORRUPT',
        `segment ${segment} opens with none of the header's data keys: it is corrupt, or not of this header`,
        { place: { segment }, hint: 'compare its checksum with the sender’s, and get it again' },
      )

const keyHint = 'a key pair is made by `htsvault c4gh keygen`'

export const unknownKeyFormat = (what: string) =>
  new HtsvaultError('KEY_FORMAT_UNKNOWN', what, { hint: keyHint })

export const corruptKey = (what: string) =>
  new HtsvaultError('KEY_CORRUPT', `the key is corrupt: ${what}`, { hint: keyHint })

export const unsupportedKey = (what: string) =>
  new HtsvaultError('KEY_METHOD_UNSUPPORTED', what, { hint: keyHint })

export const invalidPublicKey = () =>
  new HtsvaultError('KEY_INVALID', 'the public key gives no shared secret: it is not a real key', {
    hint: keyHint,
  })

export const passphraseMissing = () =>
  new HtsvaultError('KEY_PASSPHRASE_MISSING', 'the private key is locked, and no passphrase was given', {
    hint: 'set C4GH_PASSPHRASE, or give --passphrase-file',
  })

export const wrongPassphrase = () =>
  new HtsvaultError('KEY_WRONG_PASSPHRASE', 'the passphrase does not open the private key')
