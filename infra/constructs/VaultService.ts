import { Construct } from 'constructs'
import type { Settings } from '../config.ts'
import { DataFunction } from './DataFunction.ts'
import { HtsgetApi } from './HtsgetApi.ts'
import { IngestFunction } from './IngestFunction.ts'
import { TicketFunction } from './TicketFunction.ts'
import type { VaultState } from './VaultState.ts'

export interface VaultServiceProps {
  readonly settings: Settings
  readonly state: VaultState
}

/** What works on a vault's state: the ingest, and the htsget API. */
export class VaultService extends Construct {
  readonly ingest: IngestFunction
  readonly ticket: TicketFunction
  readonly data: DataFunction
  readonly api: HtsgetApi

  constructor(scope: Construct, id: string, { settings, state }: VaultServiceProps) {
    super(scope, id)
    this.ingest = new IngestFunction(this, 'Ingest', { settings, state })
    this.api = new HtsgetApi(this, 'Api', { settings })
    this.ticket = new TicketFunction(this, 'Ticket', { settings, state, url: this.api.url })
    this.data = new DataFunction(this, 'Data', { settings, state })
    this.api.serve({ ticket: this.ticket.handler, data: this.data.handler })
  }
}
