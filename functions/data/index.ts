import { lambdaLog } from '../lambdaLog.ts'
import { lambdaMetrics } from '../lambdaMetrics.ts'
import { lambdaPorts } from '../lambdaPorts.ts'
import { createDataHandler } from './handler.ts'

export const handler = createDataHandler({ ports: lambdaPorts, log: lambdaLog, metrics: lambdaMetrics })
