/** What the vault counts, and in which unit. */
export const metricUnits = {
  IngestsServed: 'Count',
  IngestsRefused: 'Count',
  /** Attempts that ended for a reason of ours: an outage, a bug. */
  IngestsFailed: 'Count',
  /** Length of the plain files that were taken in. */
  IngestedBytes: 'Bytes',
  IngestSeconds: 'Seconds',
  Tickets: 'Count',
  /** Replies of the data route. */
  DataReplies: 'Count',
  /** Bytes of these replies, as far as they were sent. */
  DataBytes: 'Bytes',
} as const

export type Metric = keyof typeof metricUnits

/** Where the vault counts what it does. */
export interface Metrics {
  /** What one request or event adds. */
  add(measures: Partial<Readonly<Record<Metric, number>>>): void
}

/** Counts nothing. */
export const noMetrics: Metrics = { add: () => undefined }
