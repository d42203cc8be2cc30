import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { beforeEach, expect, test } from '@jest/globals'
import { mockClient } from 'aws-sdk-client-mock'
import { busAnnouncements } from '#shared/aws/busAnnouncements.ts'
import { fileRefused } from '#shared/vault/announcement.ts'

const mock = mockClient(EventBridgeClient)
const bus = busAnnouncements('htsvault-test', new EventBridgeClient({ region: 'eu-central-1' }))
const refused = fileRefused(
  { key: 'd/x.bam', etag: '"1"' },
  { code: 'NOT_BAM', message: 'no', hint: 'mend it' },
)
beforeEach(() => {
  mock.reset()
})

test('an announcement is one event on the bus', async () => {
  mock.on(PutEventsCommand).resolves({ FailedEntryCount: 0 })
  await bus.announce(refused)
  expect(mock.commandCalls(PutEventsCommand).map(c => c.args[0].input)).toEqual([
    {
      Entries: [
        {
          EventBusName: 'htsvault-test',
          Source: 'htsvault',
          DetailType: 'FileRefused',
          Detail: JSON.stringify(refused.detail),
        },
      ],
    },
  ])
})

test('an event that the bus did not take is a failure, though the request went well', async () => {
  mock.on(PutEventsCommand).resolves({ FailedEntryCount: 1, Entries: [{ ErrorCode: 'ThrottlingException' }] })
  await expect(bus.announce(refused)).rejects.toMatchObject({
    code: 'ANNOUNCEMENT_FAILED',
    message: expect.stringContaining('ThrottlingException'),
  })
})

test('an outage is a failure', async () => {
  mock.on(PutEventsCommand).rejects(new Error('down'))
  await expect(bus.announce(refused)).rejects.toMatchObject({ code: 'ANNOUNCEMENT_FAILED' })
})
