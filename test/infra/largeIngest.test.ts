import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Context } from 'aws-lambda'
import { StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions'
import { createIngestHandler } from '#functions/ingest/handler.ts'
import { createLargeIngestHandler, type StepReply } from '#functions/largeIngest/handler.ts'
import { encryptStream } from '#shared/crypt4gh/encryptStream.ts'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { HtsvaultError } from '#shared/errors.ts'
import type { Format } from '#shared/indexes/FileIndexer.ts'
import { findManifest } from '#shared/vault/findManifest.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import { cutsFor, shardCount } from '#shared/vault/large/LargePlan.ts'
import { silentLog } from '#shared/vault/Log.ts'
import { fileId, parseUploadKey } from '#shared/vault/names.ts'
import { openStored } from '#shared/vault/openStored.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { drainAsync } from '#test/crypt4gh/support.ts'
import { Killed } from '#test/support/faults.ts'
import { largeFiles } from '#test/support/largeFiles.ts'
import { at, resourcesOf, synthesise, type Resource } from './synthesise.ts'
import { folderVault, keysOf } from '#test/support/folderVault.ts'

const scratch = mkdtempSync(join(tmpdir(), 'htsvault-machine-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const { stateless } = synthesise()
const [machine, endingMachine] = resourcesOf(stateless, 'AWS::StepFunctions::StateMachine') as [
  Resource,
  Resource,
]

/** The definition as it is after a deployment: references become names. */
function deployed(value: unknown): string {
  if (typeof value === 'string') return value
  const [[name, argument] = []] = Object.entries(value as Record<string, unknown>)
  switch (name) {
    case 'Fn::Join':
      return (argument as [string, unknown[]])[1].map(deployed).join('')
    case 'Fn::GetAtt':
      return `arn:aws:lambda:eu-central-1:111122223333:function:${(argument as string[])[0]!}`
    case 'Fn::ImportValue':
      return 'htsvault-inbox'
    default:
      return argument === 'AWS::Partition' ? 'aws' : String(argument)
  }
}
const text = deployed(machine.Properties['DefinitionString'])
const definition = JSON.parse(text) as StateMachineDefinition
const ending = JSON.parse(deployed(endingMachine.Properties['DefinitionString'])) as StateMachineDefinition

// Each is made once: the interpreter compiles its schemas, 0.2 s, whenever it takes a definition.
const interpreter = (of: StateMachineDefinition) =>
  new StateMachine(of, { validationOptions: { checkArn: false } })
const [ingesting, endingStopped] = [interpreter(definition), interpreter(ending)]

type Operation = 'plan' | 'shard' | 'publish' | 'abandon'
interface Call {
  readonly operation: Operation
  readonly shard?: number
}

const pair = generateKeyPair(nodeBackend)
let round = 0
let ports: VaultPorts
beforeEach(() => {
  const folder = join(scratch, String(++round))
  ports = folderVault(folder, pair)
})

interface Run {
  readonly ended: 'succeeded' | 'failed'
  readonly calls: Call[]
  /** What was sent to the queue of failures. */
  readonly reported: unknown[]
}

interface RunOptions {
  readonly segments?: number
  readonly shardParts?: number
  readonly name?: string
  /** Happens before a call; what it throws is the function's error. */
  readonly before?: (call: Call, count: number) => Promise<void> | void
  readonly after?: (call: Call) => Promise<void> | void
}

/** Runs the state machine on an upload, with the function's own handler. */
async function run(key: string, options: RunOptions = {}): Promise<Run> {
  const { segments = 3, shardParts = 1, name = 'execution-1', before, after } = options
  const handler = createLargeIngestHandler({
    ports: () => ports,
    log: silentLog,
    cuts: () => ({ partBytes: segments * 65536, shardParts }),
  })
  const calls: Call[] = []
  const reported: unknown[] = []
  const call = async (input: unknown) => {
    const given = input as Call
    calls.push(given)
    await before?.(given, calls.filter(c => c.operation === given.operation).length)
    const reply = await handler(given, {} as Context)
    await after?.(given)
    // Through JSON, as Lambda has it.
    return JSON.parse(JSON.stringify(reply)) as StepReply & Record<string, never>
  }
  const { etag } = (await ports.inbox.head(key))!
  const states = ['Plan', 'Shard', 'Publish', 'Abandon']
  const { result } = ingesting.run(
    { key, etag },
    {
      overrides: {
        taskResourceLocalHandlers: {
          ...Object.fromEntries(states.map(state => [state, call])),
          Report: input => {
            reported.push(input)
            return {}
          },
        },
        retryIntervalOverrides: Object.fromEntries([...states, 'Report'].map(state => [state, 1])),
      },
      context: {
        Execution: { Name: name, StartTime: '2026-11-21T12:00:00.000Z', Id: name, Input: {}, RoleArn: '' },
      },
    },
  )
  const ended = await result.then(
    () => 'succeeded' as const,
    () => 'failed' as const,
  )
  return { ended, calls, reported }
}

async function seen(key: string, format: Format) {
  const manifest = (await findManifest(ports.vault, fileId(parseUploadKey(key)), [format]))!
  const parts = await Promise.all(
    (['body', 'index', 'blockMap'] as const).map(async part => {
      const source = await openStored(ports, manifest[part])
      return Buffer.from(await source.read(0, source.size)).toString('base64')
    }),
  )
  return { parts, records: manifest.records, references: manifest.references }
}

const [bam] = largeFiles as [(typeof largeFiles)[0]]
const upload = (bytes = bam.bytes()) => ports.inbox.put('d/x.bam', bytes)
const outage = () => {
  throw new HtsvaultError('STORE_UNAVAILABLE', 'the storage does not answer')
}
describe("the state machine's own definition, with the function's own handler", () => {
  test.each(largeFiles)('$name: what one pass stores', async ({ name, format, bytes }) => {
    const key = `d/${name}`
    await ports.inbox.put(key, bytes())
    await ingestUpload(ports, key)
    const whole = await seen(key, format)
    for (const cut of [{ segments: 1 }, { segments: 1, shardParts: 2 }, { segments: 50 }]) {
      await ports.inbox.put(key, bytes())
      const { ended, calls, reported } = await run(key, cut)
      expect(ended).toBe('succeeded')
      expect(reported).toEqual([])
      expect(calls.filter(c => c.operation === 'shard').map(c => c.shard)).toEqual(
        Array.from(
          { length: Math.ceil(bytes().length / 65536 / cut.segments / (cut.shardParts ?? 1)) },
          (_, i) => i,
        ),
      )
      expect(await seen(key, format)).toEqual(whole)
      expect(await keysOf(ports.inbox)).toEqual([])
      expect(await keysOf(ports.vault)).toHaveLength(4)
    }
  })

  test.each(largeFiles)(
    '$name, encrypted: what one pass stores, and the body as it came',
    async ({ name, format, bytes }) => {
      const key = `d/${name}.c4gh`
      const plain = bytes()
      const file = await drainAsync(encryptStream([plain], { recipients: [pair.publicKey] }, nodeBackend))
      await ports.inbox.put(key, file)
      await ingestUpload(ports, key)
      const whole = await seen(key, format)
      for (const cut of [{ segments: 1, shardParts: 2 }, { segments: 3 }]) {
        await ports.inbox.put(key, file)
        const { ended, calls, reported } = await run(key, cut)
        expect([ended, reported]).toEqual(['succeeded', []])
        expect(calls.filter(c => c.operation === 'shard')).toHaveLength(
          Math.ceil(plain.length / 65536 / cut.segments / (cut.shardParts ?? 1)),
        )
        expect(await seen(key, format)).toEqual(whole)
        const { body } = (await findManifest(ports.vault, fileId(parseUploadKey(key)), [format]))!
        const stored = Buffer.from((await ports.vault.get(body.key, 1e8))!.bytes).subarray(body.bodyOffset)
        expect(stored.equals(file.subarray(file.length - stored.length))).toBe(true)
        expect(await keysOf(ports.inbox)).toEqual([])
        expect(await keysOf(ports.vault)).toHaveLength(4)
      }
    },
  )

  test('an encrypted upload with a damaged segment is refused, and the execution went well', async () => {
    const file = await drainAsync(encryptStream([bam.bytes()], { recipients: [pair.publicKey] }, nodeBackend))
    file[file.length - 3 * 65564]! ^= 1
    await upload(file)
    const whole = await ingestUpload(ports, 'd/x.bam')
    expect(whole).toMatchObject({ state: 'refused', report: { code: 'CRYPT4GH_SEGMENT_CORRUPT' } })
    const refusal = async () => {
      const text = Buffer.from((await ports.inbox.get('d/x.bam.refused.json', 1e4))!.bytes).toString()
      return { ...(JSON.parse(text) as object), at: '' }
    }
    const before = await refusal()
    await ports.inbox.delete('d/x.bam.refused.json')
    const { ended, calls, reported } = await run('d/x.bam')
    expect([ended, reported]).toEqual(['succeeded', []])
    expect(await refusal()).toEqual(before)
    // It was not tried again: that would change nothing.
    expect(calls.filter(c => c.operation === 'shard').length).toBe(
      new Set(calls.map(c => c.shard ?? -1)).size - 1,
    )
    expect(await keysOf(ports.vault)).toEqual([])
  })

  test.each(['plan', 'shard', 'publish'] as const)(
    'a %s that fails, before its work or after it, is done again',
    async operation => {
      for (const when of ['before', 'after'] as const) {
        await upload()
        let failed = 0
        const { ended, calls, reported } = await run('d/x.bam', {
          [when]: (call: Call) => {
            if (call.operation === operation && failed++ < 2) outage()
          },
        })
        expect(ended).toBe('succeeded')
        expect(failed).toBeGreaterThan(2)
        expect(calls.some(c => c.operation === 'abandon')).toBe(false)
        expect(reported).toEqual([])
        expect(Buffer.from((await seen('d/x.bam', 'BAM')).parts[0]!, 'base64').equals(bam.bytes())).toBe(true)
        expect(await keysOf(ports.inbox)).toEqual([])
        expect(await keysOf(ports.vault)).toHaveLength(4)
      }
    },
  )

  test.each(['plan', 'shard', 'publish', 'abandon'] as const)(
    'where %s fails for good, the execution does, and the upload waits in the queue',
    async operation => {
      await upload()
      const { ended, reported } = await run('d/x.bam', {
        before: call => {
          if (call.operation === operation) outage()
          // Nothing is given up unless something fails.
          if (operation === 'abandon' && call.operation === 'publish') outage()
        },
      })
      expect(ended).toBe('failed')
      expect(reported).toHaveLength(1)
      expect(await keysOf(ports.inbox)).toEqual(['d/x.bam'])
      if (operation !== 'abandon') expect(await keysOf(ports.vault)).toEqual([])
      // What waits there is an event that the ingest takes.
      const body = at(reported[0], 'MessageBody') as object
      expect(body).toMatchObject({ source: 'aws.s3', 'detail-type': 'Object Created' })
      const started: string[] = []
      const ingest = createIngestHandler({
        ports: () => ({ ...ports, large: { from: 1, start: async ({ key }) => void started.push(key) } }),
        log: silentLog,
      })
      expect(await ingest(body, {} as Context)).toEqual({ state: 'started' })
      expect(started).toEqual(['d/x.bam'])
      expect((await run('d/x.bam', { name: 'execution-2' })).ended).toBe('succeeded')
      expect(await keysOf(ports.inbox)).toEqual([])
    },
  )

  test('a refused file is an execution that went well', async () => {
    await upload(bam.bytes().subarray(0, 300_000))
    const { ended, reported } = await run('d/x.bam')
    expect([ended, reported]).toEqual(['succeeded', []])
    expect(await keysOf(ports.inbox)).toEqual(['d/x.bam', 'd/x.bam.refused.json'])
    expect(await keysOf(ports.vault)).toEqual([])
    // One that is refused at once has no shards.
    await upload(Buffer.from('hello'))
    expect((await run('d/x.bam')).calls.map(c => c.operation)).toEqual(['plan'])
  })

  test('an upload that is replaced midway is left to the execution of the new one', async () => {
    await upload()
    const { ended, reported } = await run('d/x.bam', {
      before: async call => {
        if (call.operation === 'shard' && call.shard === 1) await upload()
      },
    })
    expect([ended, reported]).toEqual(['succeeded', []])
    expect(await keysOf(ports.inbox)).toEqual(['d/x.bam'])
    expect(await keysOf(ports.vault)).toEqual([])
  })

  test('two executions on one upload: one file, whole', async () => {
    await upload()
    const ends = await Promise.all([
      run('d/x.bam', { name: 'a-1' }),
      run('d/x.bam', { name: 'b-1', segments: 2 }),
    ])
    expect(ends.map(e => e.ended)).toEqual(['succeeded', 'succeeded'])
    expect(await keysOf(ports.inbox)).toEqual([])
    expect(await keysOf(ports.vault)).toHaveLength(4)
    expect(Buffer.from((await seen('d/x.bam', 'BAM')).parts[0]!, 'base64').equals(bam.bytes())).toBe(true)
  })
})

describe('an execution that was stopped from outside', () => {
  type Status = 'ABORTED' | 'FAILED' | 'TIMED_OUT'

  /** What EventBridge tells of it, as far as it is documented. */
  const stopped = (name: string, input: object, status: Status, error?: string) => ({
    version: '0',
    'detail-type': 'Step Functions Execution Status Change',
    source: 'aws.states',
    detail: {
      executionArn: `arn:aws:states:eu-central-1:111122223333:execution:LargeIngest:${name}`,
      stateMachineArn: 'arn:aws:states:eu-central-1:111122223333:stateMachine:LargeIngest',
      name,
      status,
      input: JSON.stringify(input),
      inputDetails: { included: true },
      output: null,
      ...(error !== undefined && { error }),
    },
  })

  /** Runs the state machine that the rule starts, on such an event. */
  async function end(event: ReturnType<typeof stopped>, before: () => void = () => undefined) {
    const handler = createLargeIngestHandler({ ports: () => ports, log: silentLog })
    const reported: unknown[] = []
    const { result } = endingStopped.run(event, {
      overrides: {
        waitTimeOverrides: { Wait: 1 },
        retryIntervalOverrides: { Abandon: 1, Report: 1 },
        taskResourceLocalHandlers: {
          Abandon: async input => {
            before()
            const reply = await handler(input, {} as Context)
            return JSON.parse(JSON.stringify(reply)) as Record<string, never>
          },
          Report: input => {
            reported.push(at(input, 'MessageBody'))
            return {}
          },
        },
      },
    })
    await result
    return { reported }
  }

  /** An upload that an execution was at work on when it was stopped, before the call of that number. */
  async function halfDone(calls: number) {
    const { etag } = await upload()
    const done = await run('d/x.bam', {
      name: 'stopped-1',
      before: () => {
        if (calls-- <= 0) throw new Killed()
      },
    })
    // Everything fails from there on, giving up as well: as if nobody had done it.
    expect(done.ended).toBe('failed')
    return stopped('stopped-1', { key: 'd/x.bam', etag }, 'ABORTED')
  }

  test.each([0, 1, 2, 3])(
    'after %d calls: leaves nothing, and its upload waits in the queue as any other',
    async calls => {
      const event = await halfDone(calls)
      expect((await keysOf(ports.vault)).length > 0).toBe(calls > 0)
      for (const again of [false, true]) {
        const { reported } = await end(event)
        expect(reported).toEqual([
          {
            source: 'aws.s3',
            'detail-type': 'Object Created',
            detail: { bucket: { name: 'htsvault-inbox' }, object: { key: 'd/x.bam' } },
          },
        ])
        expect([again, await keysOf(ports.vault)]).toEqual([again, []])
        expect(await keysOf(ports.inbox)).toEqual(['d/x.bam'])
      }
      expect((await run('d/x.bam', { name: 'stopped-2' })).ended).toBe('succeeded')
      expect(await end(event)).toMatchObject({ reported: [] })
      expect(await keysOf(ports.vault)).toHaveLength(4)
    },
  )

  test.each(['FAILED', 'TIMED_OUT'] as const)('one that is %s is ended so too', async status => {
    const event = await halfDone(2)
    expect(await end({ ...event, detail: { ...event.detail, status } })).toMatchObject({
      reported: [expect.anything()],
    })
    expect(await keysOf(ports.vault)).toEqual([])
  })

  test('one that was replaced meanwhile is nobody’s loss', async () => {
    const event = await halfDone(2)
    await upload()
    expect(await end(event)).toMatchObject({ reported: [] })
    expect(await keysOf(ports.vault)).toEqual([])
  })

  test('one that cannot be ended is reported all the same', async () => {
    const event = await halfDone(2)
    expect(await end(event, outage)).toMatchObject({ reported: [expect.anything()] })
  })

  test('one that gave the ingest up itself has reported it', async () => {
    const { etag } = await upload()
    const event = stopped('x', { key: 'd/x.bam', etag }, 'FAILED', 'IngestFailed')
    expect(await end(event)).toMatchObject({ reported: [] })
    // That is how it fails.
    expect(at(definition, 'States', 'Failed', 'Error')).toBe('IngestFailed')
  })

  test('is told by a rule for this state machine alone, and lost events go to the queue', () => {
    const rules = resourcesOf(stateless, 'AWS::Events::Rule').map(rule => rule.Properties)
    const rule = rules.find(r => JSON.stringify(r['EventPattern']).includes('aws.states'))!
    expect(rule['EventPattern']).toEqual({
      source: ['aws.states'],
      'detail-type': ['Step Functions Execution Status Change'],
      detail: {
        stateMachineArn: [{ Ref: expect.stringMatching(/^ServiceLargeIngestStateMachine/) }],
        status: ['ABORTED', 'FAILED', 'TIMED_OUT'],
      },
    })
    expect(at(rule, 'Targets', 0, 'Arn', 'Ref')).toMatch(/^ServiceLargeIngestStoppedStateMachine/)
    expect(at(rule, 'Targets', 0, 'DeadLetterConfig', 'Arn', 'Fn::GetAtt', 0)).toMatch(/Failures/)
  })

  test('is ended when no function that it called can be running any more', () => {
    const functions = resourcesOf(stateless, 'AWS::Lambda::Function').map(f => f.Properties)
    const large = functions.find(f => at(f, 'Environment', 'Variables', 'METRICS_SERVICE') === 'ingest')!
    // A child of the map, an Express execution, calls it for the last time within five minutes.
    expect(at(ending, 'States', 'Wait', 'Seconds')).toBe((large['Timeout'] as number) + 300)
  })
})

describe('the definition', () => {
  test('has what Step Functions takes, and no more than the interpreter of these tests does', () => {
    expect(text).not.toMatch(/ItemReader|ItemBatcher|JSONata|ResultWriter/)
    const shards = at(definition, 'States', 'Shards')
    expect(shards).toMatchObject({
      MaxConcurrency: 100,
      ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'EXPRESS' } },
    })
    for (const state of ['Plan', 'Publish', 'Abandon'])
      expect(at(definition, 'States', state, 'Retry', 0)).toMatchObject({
        ErrorEquals: ['States.ALL'],
        BackoffRate: 2,
        JitterStrategy: 'FULL',
      })
  })

  test('the state of the largest file fits into 256 KiB', () => {
    for (const size of [100e9, 1e12, 5e12]) {
      const cuts = cutsFor(size)
      const shards = shardCount({ ...cuts, plainSize: size })
      const plan = { state: 'planned', shards: Array.from({ length: shards }, (_, i) => i) }
      expect(JSON.stringify({ key: 'x'.repeat(1024), etag: 'x'.repeat(64), plan }).length).toBeLessThan(
        1 << 17,
      )
      expect(cuts.partBytes % 65536).toBe(0)
      expect(Math.ceil(size / cuts.partBytes)).toBeLessThan(10_000)
    }
  })

  test('logs no upload', () => {
    for (const { Properties } of [machine, endingMachine])
      expect(Properties).toMatchObject({
        LoggingConfiguration: { IncludeExecutionData: false, Level: 'ALL' },
        TracingConfiguration: { Enabled: true },
      })
  })
})
