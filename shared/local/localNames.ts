const loopback = ['127.0.0.1', 'localhost', '[::1]']

/**
 * Whether a Host header names this machine: a web page whose own name was made to point here (DNS rebinding) gets
 * nothing, though its requests come from the user's browser.
 */
export function isOurName(header: string | undefined, host: string): boolean {
  const name = header?.replace(/:\d*$/, '').toLowerCase()
  return name !== undefined && [...loopback, host.toLowerCase()].includes(name)
}

/**
 * Whether a page of this origin may ask: one that this machine serves, or one of `origins`. Without an Origin it is no
 * page, or one that the browser does not show the answer to. `null` is no origin: any page can make a frame that has it.
 */
export function mayAsk(origin: string | undefined, origins: readonly string[]): boolean {
  if (origin === undefined) return true
  const page = URL.parse(origin)
  return page !== null && (loopback.includes(page.hostname) || origins.includes(page.origin))
}
