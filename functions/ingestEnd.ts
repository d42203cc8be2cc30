import type { IngestOutcome } from '#shared/vault/ingestUpload.ts'
import type { Metrics } from '#shared/vault/Metrics.ts'

/** Counts how an ingest ended. `seconds`: how long it took, where that is known. */
export function countIngest(metrics: Metrics, end: IngestOutcome, seconds: number | undefined): void {
  const took = seconds === undefined ? {} : { IngestSeconds: seconds }
  if (end.state === 'served')
    metrics.add({ IngestsServed: 1, IngestedBytes: end.manifest.body.plainSize, ...took })
  if (end.state === 'refused') metrics.add({ IngestsRefused: 1, ...took })
}

/** What a log says of how an ingest ended: nothing of what is in the file. */
export const ingestFields = (end: IngestOutcome) => ({
  state: end.state,
  ...(end.state === 'served' && { bytes: end.manifest.body.plainSize, format: end.manifest.format }),
  ...(end.state === 'refused' && { code: end.report.code }),
})
