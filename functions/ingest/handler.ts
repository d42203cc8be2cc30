import middy from '@middy/core'
import * as z from 'zod'
import { HtsvaultError } from '#shared/errors.ts'
import { ingestUpload, type IngestOutcome } from '#shared/vault/ingestUpload.ts'
import type { Log } from '#shared/vault/Log.ts'
import { type Metrics, noMetrics } from '#shared/vault/Metrics.ts'
import { isRefusalKey } from '#shared/vault/names.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { countIngest, ingestFields } from '../ingestEnd.ts'

/** What of EventBridge's `Object Created` the ingest needs; the key is raw there, not URL-encoded. */
const objectCreated = z.object({
  source: z.literal('aws.s3'),
  'detail-type': z.literal('Object Created'),
  detail: z.object({
    bucket: z.object({ name: z.string().min(1) }),
    object: z.object({ key: z.string().min(1) }),
  }),
})

export interface IngestFunctionProps {
  readonly ports: () => Promise<VaultPorts> | VaultPorts
  readonly log: Log
  readonly metrics?: Metrics
}

/** Takes the upload that an event tells of into the vault. What it throws is to be tried again by whoever sent the event. */
export function createIngestHandler({ ports, log, metrics = noMetrics }: IngestFunctionProps) {
  return middy<unknown, IngestOutcome>().handler(async event => {
    const parsed = objectCreated.safeParse(event)
    if (!parsed.success)
      throw new HtsvaultError(
        'EVENT_INVALID',
        'the event is no "Object Created" of S3 as EventBridge sends it',
        { cause: parsed.error },
      )
    const { key } = parsed.data.detail.object
    if (isRefusalKey(key)) return { state: 'gone' }
    const began = performance.now()
    const outcome = await Promise.resolve(ports())
      .then(p => ingestUpload(p, key))
      .catch((error: unknown) => {
        metrics.add({ IngestsFailed: 1 })
        throw error
      })
    const seconds = Math.round(performance.now() - began) / 1000
    countIngest(metrics, outcome, seconds)
    log.info('ingest ended', { ...ingestFields(outcome), seconds })
    return outcome
  })
}
