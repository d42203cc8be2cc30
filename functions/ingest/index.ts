import { busAnnouncements } from '#shared/aws/busAnnouncements.ts'
import { workflowIngests } from '#shared/aws/workflowIngests.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { environment } from '../environment.ts'
import { lambdaLog } from '../lambdaLog.ts'
import { lambdaMetrics } from '../lambdaMetrics.ts'
import { lambdaPorts } from '../lambdaPorts.ts'
import { createIngestHandler } from './handler.ts'

let ports: VaultPorts | undefined

export const handler = createIngestHandler({
  ports: () =>
    (ports ??= {
      ...lambdaPorts(),
      announcements: busAnnouncements(environment('EVENT_BUS')),
      large: workflowIngests(environment('LARGE_INGEST'), Number(environment('LARGE_FROM_BYTES'))),
    }),
  log: lambdaLog,
  metrics: lambdaMetrics,
})
