import { Logger } from '@aws-lambda-powertools/logger'
import type { Log } from '#shared/vault/Log.ts'

const logger = new Logger()

/** The vault's log in a Lambda function: structured lines, the event itself never among them. */
export const lambdaLog: Log = {
  info: (message, fields = {}) => logger.info(message, fields),
  error: (message, fields, error) =>
    logger.error(message, { ...fields, ...(error instanceof Error && { error }) }),
}
