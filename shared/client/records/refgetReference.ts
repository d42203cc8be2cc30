import { hostOf, isUnreachable, replyError, unreachable } from '../clientErrors.ts'
import { Retries } from '../Retries.ts'
import { isPassing, readText, send, type TransportOptions } from '../transport.ts'
import type { ReferenceSource } from './ReferenceSource.ts'

/** The longest stretch that is asked for at once, in bases. */
const maxBases = 1 << 28

/**
 * References from a refget server (GA4GH refget 2.0), by the MD5 that a CRAM's header has of each: `server` is what
 * stands before `/sequence/`.
 * @throws HtsvaultError SERVER_UNREACHABLE, SERVER_FAILED; HtsgetError
 */
export function refgetReference(server: string, options: TransportOptions = {}): ReferenceSource {
  const base = server.replace(/\/+$/, '')
  return {
    async read({ md5, length }, start, end) {
      const stop = Math.min(end, length ?? Infinity)
      if (md5 === undefined) return undefined
      if (start >= stop) return ''
      const url = `${base}/sequence/${md5}?start=${start}&end=${stop}`
      const retries = new Retries(options)
      for (;;) {
        let failure: unknown
        let retryAfter: string | null = null
        try {
          const headers = { Accept: 'text/vnd.ga4gh.refget.v2.0.0+plain, text/plain;q=0.9, */*;q=0.1' }
          const reply = await send({ url, headers }, options)
          const { text } = await readText(reply, maxBases)
          if (reply.status === 404) return undefined
          if (reply.status === 200 || reply.status === 206) {
            const bases = text.trim()
            if (bases.length === stop - start) return bases
            failure = unreachable(
              hostOf(url),
              `sent ${bases.length} bases where ${stop - start} were asked for`,
            )
          } else {
            failure = replyError(hostOf(url), reply.status, text)
            if (!isPassing(reply.status)) throw failure
            retryAfter = reply.headers.get('retry-after')
          }
        } catch (error) {
          if (!isUnreachable(error)) throw error
          failure = error
        }
        await retries.failed(failure, retryAfter)
      }
    },
  }
}
