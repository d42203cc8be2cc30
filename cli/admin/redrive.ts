import { failedIngestsOf } from '#shared/aws/adminClients.ts'
import { listFailedIngests, redriveFailedIngests, type FailedIngest } from '#shared/aws/failedIngests.ts'
import { printable } from '../printable.ts'
import type { RedriveOptions } from './redriveCommand.ts'
import { useStack } from './stackOptions.ts'

/** More than a person looks at. */
const listLimit = 1000

/** Tells of failed ingests, or gives them to the ingest again. */
export async function redrive(options: RedriveOptions): Promise<void> {
  useStack(options)
  const place = await failedIngestsOf(options.stage)
  if (options.list === true) {
    const waiting = await listFailedIngests(place, listLimit)
    for (const failure of waiting) console.log(line(failure))
    console.error(waiting.length === listLimit ? `the first ${listLimit}` : `${waiting.length} in the queue`)
    return
  }
  const { again, unknown } = await redriveFailedIngests(place, failure => console.log(line(failure)))
  console.error(`${again} given to the ingest again`)
  if (unknown > 0)
    console.error(`${unknown} left in the queue: no events of uploads. Look at them in the SQS console.`)
}

const line = ({ key, failed, attempts, reason }: FailedIngest): string =>
  [failed.toISOString(), key ?? '(unknown)', `${attempts ?? '?'} attempts`, reason].map(printable).join('\t')
