import type { TransportOptions } from './transport.ts'

const longestWait = 10_000
/** A server that wants more patience than this is not waited for, in milliseconds. */
const longestRetryAfter = 120_000

/** Counts failures in a row, and waits between them: longer each time, and never two clients in step. */
export class Retries {
  readonly #options: TransportOptions
  #failures = 0

  constructor(options: TransportOptions) {
    this.#options = options
  }

  /** Something came: the count begins anew. */
  succeeded(): void {
    this.#failures = 0
  }

  /** Waits and returns, or throws `error` where that was the last try. `retryAfter` is the reply's header. */
  async failed(error: unknown, retryAfter?: string | null): Promise<void> {
    const { tries = 6, retryMs = 250, signal } = this.#options
    const wanted = retryAfterMs(retryAfter)
    if (++this.#failures >= tries || wanted > longestRetryAfter) throw error
    const backoff = Math.min(longestWait, retryMs * 2 ** (this.#failures - 1)) * (0.5 + Math.random() / 2)
    await sleep(Math.max(wanted, backoff), signal)
  }
}

/** `Retry-After` (RFC 9110 §10.2.3), seconds or a date, in milliseconds; 0 where there is none. */
function retryAfterMs(value: string | null | undefined): number {
  if (value === null || value === undefined) return 0
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? 0 : Math.max(0, date - Date.now())
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const ended = () => {
      clearTimeout(timer)
      // What a caller aborts with is the caller's own.
      reject(signal!.reason as Error)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', ended)
      resolve()
    }, ms)
    signal?.addEventListener('abort', ended, { once: true })
  })
}
