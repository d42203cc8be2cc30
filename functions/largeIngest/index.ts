import { busAnnouncements } from '#shared/aws/busAnnouncements.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { environment } from '../environment.ts'
import { lambdaLog } from '../lambdaLog.ts'
import { lambdaMetrics } from '../lambdaMetrics.ts'
import { lambdaPorts } from '../lambdaPorts.ts'
import { createLargeIngestHandler } from './handler.ts'

let ports: VaultPorts | undefined

export const handler = createLargeIngestHandler({
  ports: () => (ports ??= { ...lambdaPorts(), announcements: busAnnouncements(environment('EVENT_BUS')) }),
  log: lambdaLog,
  metrics: lambdaMetrics,
})
