import { Metrics as EmfMetrics } from '@aws-lambda-powertools/metrics'
import { type Metric, type Metrics, metricUnits } from '#shared/vault/Metrics.ts'

/** Functions that do one service's work together count together. */
const serviceName = process.env['METRICS_SERVICE']

const emf = new EmfMetrics({
  namespace: 'htsvault',
  ...(serviceName !== undefined && { serviceName }),
  // A namespace is the account's: the dimension tells one vault from another.
  defaultDimensions: { vault: process.env['VAULT_NAME'] ?? 'vault' },
})

/** The vault's metrics in a Lambda function: a line of the log in CloudWatch's embedded metric format for each event. */
export const lambdaMetrics: Metrics = {
  add(measures) {
    for (const [name, value] of Object.entries(measures) as [Metric, number][])
      emf.addMetric(name, metricUnits[name], value)
    emf.publishStoredMetrics()
  },
}
