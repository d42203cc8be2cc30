import { SingleBar } from 'cli-progress'
import { whenInterrupted } from './whenInterrupted.ts'

/** Work of fewer bytes is over before a bar is read. */
const longWork = 32 * 2 ** 20

export interface Progress {
  readonly add: (bytes: number) => void
  readonly stop: () => void
}

/** A bar on standard error for long work on a terminal; nothing in a pipe. */
export function showProgress(label: string, totalBytes: number): Progress {
  if (!process.stderr.isTTY || totalBytes < longWork) return { add: () => undefined, stop: () => undefined }
  const bar = new SingleBar({
    format: `${label} {bar} {percentage} % · {value}/{total} MiB · {eta_formatted} left`,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
  })
  const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20)
  let done = 0
  bar.start(mebibytes(totalBytes), 0)
  // The cursor comes back.
  const stopped = whenInterrupted(() => bar.stop())
  return {
    add(bytes) {
      done += bytes
      bar.update(mebibytes(done))
    },
    stop() {
      stopped()
      bar.stop()
    },
  }
}
