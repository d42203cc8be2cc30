import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { HtsvaultError } from '#shared/errors.ts'
import type { Announcements } from '#shared/vault/ports/Announcements.ts'

/** The `source` of every event of a vault. */
const source = 'htsvault'

/** Announcements as events of an EventBridge bus, by its name. */
export function busAnnouncements(
  bus: string,
  client: EventBridgeClient = new EventBridgeClient({ maxAttempts: 5 }),
): Announcements {
  return {
    async announce({ type, detail }) {
      const entry = {
        EventBusName: bus,
        Source: source,
        DetailType: type,
        Detail: JSON.stringify(detail),
      }
      const reply = await client.send(new PutEventsCommand({ Entries: [entry] })).catch((cause: unknown) => {
        throw failed(cause instanceof Error ? cause.name : 'unknown error', cause)
      })
      // A request that went well may hold an event that did not.
      if (reply.FailedEntryCount !== 0) throw failed(reply.Entries?.[0]?.ErrorCode ?? 'unknown error')
    },
  }
}

const failed = (why: string, cause?: unknown) =>
  new HtsvaultError('ANNOUNCEMENT_FAILED', `EventBridge did not take the event: ${why}`, {
    hint: "The ingest tries again. Check that its role may events:PutEvents on the vault's bus.",
    cause,
  })
