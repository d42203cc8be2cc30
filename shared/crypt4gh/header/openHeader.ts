import type { Backend } from '../Backend.ts'
import type { EditList } from '../editList.ts'
import { noDataKey, twoEditLists, unsupportedMethod, wrongKey } from '../errors.ts'
import type { KeyPair } from '../keys/KeyPair.ts'
import { wipe } from '../wipe.ts'
import type { Header } from './Header.ts'
import { type OpenedPacket, type OpenOptions, openPackets } from './openPackets.ts'
import { readPayload } from './payload.ts'

/** What a header holds for a reader: all that decryption needs. Secret. */
export interface OpenedHeader {
  /** Each 32 bytes, none twice, at least one. */
  readonly dataKeys: readonly Uint8Array[]
  readonly editList?: EditList
}

/**
 * Opens a header with the reader's key, or with any of several.
 * @throws HtsvaultError CRYPT4GH_WRONG_KEY, CRYPT4GH_NO_DATA_KEY, CRYPT4GH_TWO_EDIT_LISTS,
 * CRYPT4GH_METHOD_UNSUPPORTED, CRYPT4GH_HEADER_CORRUPT.
 */
export function openHeader(
  header: Header,
  keys: KeyPair | readonly KeyPair[],
  backend: Backend,
  options: OpenOptions = {},
): OpenedHeader {
  const readers = 'publicKey' in keys ? [keys] : keys
  const { opened } = openPackets(header, readers, backend, options)
  try {
    return readOpened(header, readers.length, opened)
  } finally {
    wipe(...opened.map(({ payload }) => payload))
  }
}

/** What the opened packets say together. @throws HtsvaultError as openHeader. */
export function readOpened(header: Header, keys: number, opened: readonly OpenedPacket[]): OpenedHeader {
  if (opened.length === 0) {
    const { packets } = header
    if (packets.length === 0) throw noDataKey()
    if (packets.every(({ method }) => method !== 0))
      throw unsupportedMethod(`header packets sealed by method ${packets[0]!.method}; method 0 is read here`)
    throw wrongKey(packets.length, keys)
  }
  const dataKeys = new Map<string, Uint8Array>()
  const editLists: { editList: EditList; key: number }[] = []
  for (const { payload, key } of opened) {
    const content = readPayload(payload)
    // The map's key is a secret too, and short-lived.
    if (content.kind === 'dataKey') dataKeys.set(content.dataKey.join(), content.dataKey)
    else editLists.push({ editList: content.editList, key })
  }
  const [first, ...more] = editLists
  // Each reader has one list; a holder of two readers' keys meets the same one twice.
  if (first && more.some(({ editList, key }) => key === first.key || !sameList(editList, first.editList)))
    throw twoEditLists()
  if (dataKeys.size === 0) throw noDataKey()
  return { dataKeys: [...dataKeys.values()], ...(first && { editList: first.editList }) }
}

const sameList = (a: EditList, b: EditList) =>
  a.length === b.length && a.every((length, i) => length === b[i])
