import { HtsvaultError } from '#shared/errors.ts'
import { hostOf, redirectRefused, unreachable } from './clientErrors.ts'
import type { Exchange, Incoming, Outgoing, ReplyHeaders } from './Exchange.ts'
import { fetchExchange } from './fetchExchange.ts'

/** How requests are made, the same for tickets and data. */
export interface TransportOptions {
  /** What sends each request; default the platform's `fetch`. */
  readonly exchange?: Exchange
  /** Ends everything; what is thrown then is its reason. */
  readonly signal?: AbortSignal | undefined
  /** A connection on which nothing comes for so long is given up, in milliseconds; default 60,000. */
  readonly idleMs?: number
  /** How often in a row something may fail without one byte in between; default 6. */
  readonly tries?: number
  /** The first wait before trying again, doubled each time up to 10 s, in milliseconds; default 250. */
  readonly retryMs?: number
}

/** A reply whose body comes by `read`, each wait for it limited. */
export interface Reply {
  readonly status: number
  readonly headers: ReplyHeaders
  /** The next bytes; undefined at the end. @throws HtsvaultError SERVER_UNREACHABLE */
  read(): Promise<Uint8Array | undefined>
  /** Lets go of the connection; harmless at the end. */
  close(): void
}

const maxRedirects = 5

/** Headers that say what is wanted and not who wants it: they may go wherever a redirection leads. */
const harmless = /^(accept|accept-encoding|content-type|range)$/i

/** Status codes that may be another the next time. */
export const isPassing = (status: number): boolean => [408, 425, 429, 500, 502, 503, 504].includes(status)

/**
 * One request. Redirections are followed, at most 5; to another origin no header goes but what is wanted, and none is
 * followed from https: to http:, nor with a POST that would become a GET and so another question.
 * @throws HtsvaultError SERVER_UNREACHABLE, REDIRECT_REFUSED; the signal's reason
 */
export async function send(outgoing: Outgoing, options: TransportOptions): Promise<Reply> {
  const idle = new IdleLimit(options)
  try {
    const incoming = await follow(outgoing, idle, options.exchange ?? fetchExchange())
    return toReply(incoming, idle, hostOf(outgoing.url))
  } catch (error) {
    idle.stop()
    throw options.signal?.aborted === true
      ? options.signal.reason
      : failure(hostOf(outgoing.url), error, idle)
  }
}

async function follow(outgoing: Outgoing, idle: IdleLimit, exchange: Exchange): Promise<Incoming> {
  let { url, headers } = outgoing
  const { method = 'GET' } = outgoing
  const request = (redirect: 'manual' | 'follow') =>
    exchange({ ...outgoing, url, headers }, { redirect, signal: idle.signal })
  for (let hops = 0; ; hops++) {
    idle.restart()
    const reply = await request('manual')
    if (reply.isOpaque) {
      // A browser does not say where to: let it go there itself where nothing secret goes along.
      if (method === 'GET' && Object.keys(headers).every(name => harmless.test(name)))
        return request('follow')
      throw redirectRefused(hostOf(url), 'which a browser does not tell')
    }
    if (![301, 302, 303, 307, 308].includes(reply.status)) return reply
    reply.cancel()
    const from = new URL(url)
    const location = reply.headers.get('location') ?? ''
    if (!URL.canParse(location, from)) throw redirectRefused(from.host, 'which is none')
    const to = new URL(location, from)
    if (hops >= maxRedirects) throw redirectRefused(from.host, 'and that again and again')
    if (to.protocol !== 'https:' && (to.protocol !== 'http:' || from.protocol === 'https:'))
      throw redirectRefused(from.host, 'which is not encrypted')
    if (method === 'POST' && reply.status < 307)
      throw redirectRefused(from.host, 'which would lose what was asked for')
    if (to.origin !== from.origin)
      headers = Object.fromEntries(Object.entries(headers).filter(([name]) => harmless.test(name)))
    url = to.href
  }
}

function toReply(incoming: Incoming, idle: IdleLimit, host: string): Reply {
  idle.pause()
  return {
    status: incoming.status,
    headers: incoming.headers,
    async read() {
      idle.restart()
      try {
        return await incoming.read()
      } catch (error) {
        throw idle.aborted ? idle.reason : failure(host, error, idle)
      } finally {
        idle.pause()
      }
    },
    close() {
      idle.stop()
      incoming.cancel()
    },
  }
}

const failure = (host: string, error: unknown, { expired }: IdleLimit): unknown =>
  error instanceof HtsvaultError
    ? error
    : unreachable(host, expired ? 'went silent' : 'cannot be reached, or broke off', error)

/** Aborts when nothing comes for too long; what the consumer takes its time for does not count. */
class IdleLimit {
  readonly signal: AbortSignal
  readonly #outer: AbortSignal | undefined
  readonly #own = new AbortController()
  readonly #ms: number
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor({ signal, idleMs = 60_000 }: TransportOptions) {
    signal?.throwIfAborted()
    this.#ms = idleMs
    this.#outer = signal
    this.signal = signal ? AbortSignal.any([signal, this.#own.signal]) : this.#own.signal
  }

  /** Whether nothing came for too long. */
  get expired(): boolean {
    return this.#own.signal.aborted
  }
  /** Whether the caller ended it. */
  get aborted(): boolean {
    return this.#outer?.aborted === true
  }
  get reason(): unknown {
    return this.#outer?.reason as unknown
  }
  restart(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#own.abort(), this.#ms)
  }
  pause(): void {
    clearTimeout(this.#timer)
  }
  stop(): void {
    clearTimeout(this.#timer)
  }
}

/** Text of a reply up to `maxBytes`; the rest is not read. */
export async function readText(reply: Reply, maxBytes: number): Promise<{ text: string; whole: boolean }> {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  try {
    for (;;) {
      const chunk = await reply.read()
      if (!chunk) return { text: text + decoder.decode(), whole: true }
      size += chunk.length
      if (size > maxBytes) return { text, whole: false }
      text += decoder.decode(chunk, { stream: true })
    }
  } finally {
    reply.close()
  }
}
