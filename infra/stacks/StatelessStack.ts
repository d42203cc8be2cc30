import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import type { Settings } from '../config.ts'
import { VaultService } from '../constructs/VaultService.ts'
import type { VaultState } from '../constructs/VaultState.ts'

export interface StatelessStackProps extends StackProps {
  readonly settings: Settings
  /** The buckets and keys to serve, of another stack of the same app. */
  readonly state: VaultState
}

/** What can be thrown away and deployed again: the functions and the API. */
export class StatelessStack extends Stack {
  readonly service: VaultService

  constructor(scope: Construct, id: string, { settings, state, ...props }: StatelessStackProps) {
    super(scope, id, props)
    this.service = new VaultService(this, 'Service', { settings, state })

    new CfnOutput(this, 'Endpoint', {
      value: this.service.api.url,
      description: 'The htsget endpoint: …/reads/<dataset>/<name>, …/variants/<dataset>/<name>',
    })
    new CfnOutput(this, 'FailedIngests', {
      value: this.service.ingest.failures.queueUrl,
      description: 'The queue of uploads that could not be ingested for a reason of ours',
    })
    new CfnOutput(this, 'RekeyFunction', {
      value: this.service.rekey.handler.functionName,
      description: 'The function that htsvault admin rotate-key and rekey call',
    })
    new CfnOutput(this, 'EventBus', {
      value: this.service.bus.eventBusName,
      description: 'The EventBridge bus on which FileReady and FileRefused are announced',
    })
    new CfnOutput(this, 'IngestFunction', {
      value: this.service.ingest.handler.functionName,
      description: 'The function that htsvault admin redrive hands these uploads to',
    })
  }
}
