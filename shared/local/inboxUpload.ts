import type { IncomingMessage, ServerResponse } from 'node:http'
import { HtsvaultError } from '#shared/errors.ts'
import { isRefusalKey } from '#shared/vault/names.ts'
import type { UploadName } from '#shared/vault/names.ts'
import type { ObjectInfo, ObjectStore } from '#shared/vault/ports/ObjectStore.ts'
import { sendError, sendJson } from './jsonReply.ts'

export interface InboxRoute {
  readonly store: ObjectStore
  /** Reads the key of an upload. @throws HtsvaultError where it cannot be taken. */
  readonly readName: (key: string) => UploadName
  /** An upload is there, whole. */
  readonly onUpload?: (upload: ObjectInfo) => void
}

/** Errors of a client's making; any other is ours. */
const badName = new Set(['INVALID_KEY', 'INVALID_NAME', 'NO_DATASET'])

/**
 * `PUT /inbox/<dataset>/<name…>`: streams the body into the inbox. 201 when it is there, whole; what breaks off leaves
 * nothing.
 *
 * @param encodedKey what follows `/inbox/`, percent-encoded
 * @param statusUrl where the states of the files are told
 */
export async function takeUpload(
  inbox: InboxRoute,
  encodedKey: string,
  request: IncomingMessage,
  response: ServerResponse,
  statusUrl: string,
): Promise<void> {
  try {
    const key = decodeKey(encodedKey)
    const name = inbox.readName(key)
    const upload = await inbox.store.create(key)
    try {
      // curl -T asks whether it may send, so that a bad name costs nothing.
      if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue()
      // Where the store fails, the connection stays for the answer.
      const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
      for await (const chunk of chunks) await upload.write(chunk)
      const info = await upload.complete()
      inbox.onUpload?.(info)
      sendJson(response, 201, { ...name, bytes: info.size, status: statusUrl })
    } finally {
      await upload.abort()
    }
  } catch (error) {
    if (request.destroyed && !request.complete) return
    if (!(error instanceof HtsvaultError)) throw error
    sendError(response, badName.has(error.code) ? 400 : 503, error.toReport())
  }
}

function decodeKey(encoded: string): string {
  let key: string | undefined
  try {
    key = decodeURIComponent(encoded)
  } catch {
    // A lone % or bytes that are no UTF-8.
  }
  if (key === undefined || isRefusalKey(key))
    throw new HtsvaultError(
      'INVALID_NAME',
      key === undefined ? 'the name is not percent-encoded UTF-8' : 'the name ends as a refusal report does',
      { hint: 'Rename the file and upload it again.' },
    )
  return key
}
