import { lambdaLog } from '../lambdaLog.ts'
import { lambdaPorts } from '../lambdaPorts.ts'
import { createIngestHandler } from './handler.ts'

export const handler = createIngestHandler({ ports: lambdaPorts, log: lambdaLog })
