import middy from '@middy/core'
import * as z from 'zod'
import { HtsvaultError } from '#shared/errors.ts'
import type { IngestEnd } from '#shared/vault/ingestUpload.ts'
import { abandonLarge } from '#shared/vault/large/abandonLarge.ts'
import type { LargeCuts } from '#shared/vault/large/LargePlan.ts'
import { planLarge } from '#shared/vault/large/planLarge.ts'
import { publishLarge } from '#shared/vault/large/publishLarge.ts'
import { workShard } from '#shared/vault/large/workShard.ts'
import type { Log } from '#shared/vault/Log.ts'
import { noMetrics, type Metrics } from '#shared/vault/Metrics.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { countIngest, ingestFields } from '../ingestEnd.ts'

const upload = { work: z.string().regex(/^[\w-]{1,80}$/), key: z.string().min(1), etag: z.string().min(1) }

/** What the states of the state machine call the function with. */
const step = z.discriminatedUnion('operation', [
  z.object({ operation: z.literal('plan'), ...upload }),
  z.object({ operation: z.literal('shard'), work: upload.work, shard: z.int().nonnegative() }),
  z.object({ operation: z.literal('publish'), work: upload.work, began: z.iso.datetime() }),
  z.object({ operation: z.literal('abandon'), ...upload }),
])
type Step = z.infer<typeof step>

/** What a state gets back: small, and nothing of what is in the file. */
export interface StepReply {
  readonly state?: 'planned' | 'served' | 'refused' | 'gone' | 'failed'
  /** Of `plan`: the numbers of the shards. */
  readonly shards?: readonly number[]
}

export interface LargeIngestFunctionProps {
  readonly ports: () => Promise<VaultPorts> | VaultPorts
  readonly log: Log
  readonly metrics?: Metrics
  /** How files are cut, unless as is best for their size. */
  readonly cuts?: (size: number) => LargeCuts
}

/** One step of the ingest of a large file. What it throws is to be tried again by the state machine. */
export function createLargeIngestHandler(props: LargeIngestFunctionProps) {
  return middy<unknown, StepReply>().handler(async event => {
    const parsed = step.safeParse(event)
    if (!parsed.success)
      throw new HtsvaultError('EVENT_INVALID', 'the input is no step of the ingest of a large file', {
        cause: parsed.error,
      })
    return runStep(await props.ports(), parsed.data, props)
  })
}

async function runStep(
  ports: VaultPorts,
  data: Step,
  { log, metrics = noMetrics, cuts }: LargeIngestFunctionProps,
): Promise<StepReply> {
  const { operation, work } = data
  switch (operation) {
    case 'plan': {
      const planned = await planLarge(ports, data, cuts)
      log.info('large ingest planned', {
        work,
        state: planned.state,
        ...(planned.state === 'planned' && { shards: planned.shards }),
      })
      if (planned.state === 'planned')
        return { state: 'planned', shards: Array.from({ length: planned.shards }, (_, i) => i) }
      return ended(planned, undefined, metrics)
    }
    case 'shard': {
      const began = performance.now()
      const { state } = await workShard(ports, work, data.shard)
      log.info('shard ended', { work, shard: data.shard, state, seconds: secondsSince(began) })
      // There may be thousands, and Step Functions gathers what they answer.
      return {}
    }
    case 'publish': {
      const end = await publishLarge(ports, work)
      const seconds = Math.round(Date.now() - Date.parse(data.began)) / 1000
      log.info('large ingest ended', { work, ...ingestFields(end), seconds })
      return ended(end, seconds, metrics)
    }
    case 'abandon': {
      const end = await abandonLarge(ports, data)
      log.info('large ingest given up', { work, state: end.state })
      if (end.state !== 'failed') return ended(end, undefined, metrics)
      metrics.add({ IngestsFailed: 1 })
      return { state: 'failed' }
    }
  }
}

function ended(end: IngestEnd, seconds: number | undefined, metrics: Metrics): StepReply {
  countIngest(metrics, end, seconds)
  return { state: end.state, shards: [] }
}

const secondsSince = (began: number) => Math.round(performance.now() - began) / 1000
