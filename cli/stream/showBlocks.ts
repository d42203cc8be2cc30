import { SingleBar } from 'cli-progress'
import { whenInterrupted } from '../files/whenInterrupted.ts'

/** A transfer of fewer bytes is over before a bar is read. */
const longTransfer = 16 * 2 ** 20

export interface BlockProgress {
  /** How many blocks there are; how many bytes they have, nobody says. */
  readonly begin: (blocks: number) => void
  readonly update: (blocks: number, bytes: number) => void
  readonly stop: () => void
}

/** A bar on standard error for a long transfer, where that is a terminal; nothing in a pipe. */
export function showBlocks(): BlockProgress {
  let total = 0
  let bar: SingleBar | undefined
  let stopped: () => void = () => undefined
  const show = () => {
    bar = new SingleBar({
      format: 'Fetching {bar} {value}/{total} pieces · {mebibytes} MiB',
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
    })
    bar.start(total, 0, { mebibytes: 0 })
    stopped = whenInterrupted(() => bar?.stop())
  }
  return {
    begin: blocks => (total = blocks),
    update(blocks, bytes) {
      if (!bar && process.stderr.isTTY && bytes >= longTransfer) show()
      bar?.update(blocks, { mebibytes: Math.round(bytes / 2 ** 20) })
    },
    stop() {
      stopped()
      bar?.stop()
    },
  }
}
