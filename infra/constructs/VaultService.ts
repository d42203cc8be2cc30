import { EventBus } from 'aws-cdk-lib/aws-events'
import { Construct } from 'constructs'
import type { Settings } from '../config.ts'
import { ApiFirewall } from './ApiFirewall.ts'
import { AuthorizerFunction } from './AuthorizerFunction.ts'
import { DataFunction } from './DataFunction.ts'
import { HtsgetApi } from './HtsgetApi.ts'
import { IngestFunction } from './IngestFunction.ts'
import { LargeIngest } from './LargeIngest.ts'
import { TicketFunction } from './TicketFunction.ts'
import { VaultMonitoring } from './VaultMonitoring.ts'
import { RekeyFunction } from './RekeyFunction.ts'
import type { VaultState } from './VaultState.ts'

export interface VaultServiceProps {
  readonly settings: Settings
  readonly state: VaultState
}

/** What works on a vault's state: the ingest, and the htsget API. */
export class VaultService extends Construct {
  readonly ingest: IngestFunction
  readonly largeIngest: LargeIngest
  readonly ticket: TicketFunction
  readonly data: DataFunction
  readonly rekey: RekeyFunction
  readonly api: HtsgetApi
  /** On which `FileReady` and `FileRefused` are announced; yours to add rules to. */
  readonly bus: EventBus
  readonly monitoring: VaultMonitoring

  constructor(scope: Construct, id: string, { settings, state }: VaultServiceProps) {
    super(scope, id)
    this.bus = new EventBus(this, 'Bus', {
      eventBusName: `htsvault-${settings.stage}`,
      description: 'htsvault: files that are ready, and files that were refused',
    })
    this.ingest = new IngestFunction(this, 'Ingest', { settings, state, bus: this.bus })
    this.largeIngest = new LargeIngest(this, 'LargeIngest', {
      settings,
      state,
      bus: this.bus,
      failures: this.ingest.failures,
    })
    this.ingest.handOver(this.largeIngest.stateMachine, settings.largeFiles.fromGigabytes * 1e9)
    this.api = new HtsgetApi(this, 'Api', { settings })
    this.ticket = new TicketFunction(this, 'Ticket', { settings, state, url: this.api.url })
    this.data = new DataFunction(this, 'Data', { settings, state })
    this.rekey = new RekeyFunction(this, 'Rekey', { settings, state })
    const gate =
      settings.access === 'oidc' ? new AuthorizerFunction(this, 'Authorizer', { settings, state }) : undefined
    this.api.serve({
      ticket: this.ticket.handler,
      data: this.data.handler,
      authorizer: gate?.authorizer,
    })
    if (settings.firewall) new ApiFirewall(this, 'Firewall', { ...settings.firewall, api: this.api.api })
    this.monitoring = new VaultMonitoring(this, 'Monitoring', {
      settings,
      key: state.key,
      api: this.api.api,
      functions: {
        ingest: this.ingest.handler,
        ticket: this.ticket.handler,
        data: this.data.handler,
      },
      failures: this.ingest.failures,
      largeIngest: this.largeIngest.stateMachine,
      stoppedIngests: this.largeIngest.stopped.stateMachine,
    })
  }
}
