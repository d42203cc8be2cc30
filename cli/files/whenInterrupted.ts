const tidying = new Set<() => void>()
let listening = false

/** Has `tidy` called when the process is told to go (Ctrl-C, kill, hang-up); the function returned takes that back. */
export function whenInterrupted(tidy: () => void): () => void {
  listen()
  tidying.add(tidy)
  return () => {
    tidying.delete(tidy)
  }
}

/** One listener for all: each that ended the process would keep the others from their work. */
function listen(): void {
  if (listening) return
  listening = true
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)
    process.once(signal, () => {
      for (const tidy of tidying) tidy()
      process.exit(code)
    })
}
