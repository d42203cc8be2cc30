import { lambdaAuthenticate } from '../lambdaAuthenticate.ts'
import { lambdaLog } from '../lambdaLog.ts'
import { lambdaMetrics } from '../lambdaMetrics.ts'
import { lambdaPorts } from '../lambdaPorts.ts'
import { createTicketHandler } from './handler.ts'

const url = process.env['TICKET_URL']

export const handler = createTicketHandler({
  ports: lambdaPorts,
  log: lambdaLog,
  metrics: lambdaMetrics,
  service: { id: `htsvault.${process.env['VAULT_NAME'] ?? 'vault'}`, name: 'htsvault', version: '0.1.0' },
  authenticate: lambdaAuthenticate(),
  ...(url !== undefined && { url }),
})
