import { HtsvaultError } from '#shared/errors.ts'

/** The text of a document of an issuer. @throws HtsvaultError ISSUER_UNAVAILABLE */
export type IssuerDocuments = (url: string) => Promise<string>

export interface IssuerDocumentsOptions {
  /** In milliseconds, for the whole of a document. */
  readonly timeout?: number
  readonly maxBytes?: number
  /** After a failure the issuer is left alone for so long, in milliseconds; whoever asks then is told the same. */
  readonly pause?: number
}

/**
 * Fetches what an issuer publishes: 200 and no redirect, of bounded size, in bounded time. Whatever else comes is an
 * outage: it says nothing of who asks.
 */
export function issuerDocuments({
  timeout = 4000,
  maxBytes = 1 << 18,
  pause = 5000,
}: IssuerDocumentsOptions = {}): IssuerDocuments {
  const failures = new Map<string, { readonly until: number; readonly error: HtsvaultError }>()
  return async url => {
    const failure = failures.get(url)
    if (failure && performance.now() < failure.until) throw failure.error
    try {
      const text = await load(url, timeout, maxBytes)
      failures.delete(url)
      return text
    } catch (cause) {
      const error = issuerUnavailable('the issuer does not answer as it should', cause)
      failures.set(url, { until: performance.now() + pause, error })
      throw error
    }
  }
}

export const issuerUnavailable = (what: string, cause?: unknown): HtsvaultError =>
  new HtsvaultError('ISSUER_UNAVAILABLE', what, { hint: 'Try again in a moment.', cause })

async function load(url: string, timeout: number, maxBytes: number): Promise<string> {
  const reply = await fetch(url, {
    redirect: 'error',
    headers: { accept: 'application/json, application/jwk-set+json' },
    signal: AbortSignal.timeout(timeout),
  })
  if (reply.status !== 200 || reply.body === null) {
    await reply.body?.cancel()
    throw new Error(`it answers ${reply.status}`)
  }
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop early cancels the body.
  for await (const chunk of reply.body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > maxBytes) throw new Error(`the document has more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
