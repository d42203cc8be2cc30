import type { Exchange } from './Exchange.ts'

/** The platform's `fetch`, or one like it, in browsers and wherever there is one. */
export const fetchExchange =
  (fetchOne: typeof fetch = fetch): Exchange =>
  async ({ url, ...outgoing }, options) => {
    const response = await fetchOne(url, { ...outgoing, ...options })
    const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader()
    return {
      status: response.status,
      headers: response.headers,
      isOpaque: response.type === 'opaqueredirect',
      read: async () => (await reader?.read())?.value,
      cancel() {
        reader?.cancel().catch(() => undefined)
      },
    }
  }
