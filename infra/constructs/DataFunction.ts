import { Duration } from 'aws-cdk-lib'
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs'
import { Construct } from 'constructs'
import type { Settings } from '../config.ts'
import {
  because,
  keyPairEnvironment,
  onKeyPair,
  onList,
  onObjectKeys,
  onObjects,
  vaultKeys,
} from './permissions.ts'
import { VaultFunction } from './VaultFunction.ts'
import type { VaultState } from './VaultState.ts'

export interface DataFunctionProps {
  readonly settings: Settings
  readonly state: VaultState
}

const reads = [...vaultKeys.manifests, ...vaultKeys.blockMaps, ...vaultKeys.bodies]

/** Streams what a ticket's URL stands for. */
export class DataFunction extends Construct {
  readonly handler: NodejsFunction

  constructor(scope: Construct, id: string, { settings, state }: DataFunctionProps) {
    super(scope, id)
    this.handler = new VaultFunction(this, 'Function', {
      settings,
      name: 'data',
      description: 'streams the data of a ticket',
      memory: settings.memory.data,
      timeout: streamingTimeout,
      environment: { VAULT_BUCKET: state.vault.bucketName, ...keyPairEnvironment(state.keyPair) },
      may: [
        onObjects(state.vault, ['s3:GetObject'], reads),
        onList(state.vault),
        onObjectKeys(state, 'read', state.vault),
        ...onKeyPair(state.keyPair),
      ],
      wildcards: because("All of any file but its index: datasets and names are the users' own.", ...reads),
    }).handler
  }
}

/** A piece has at most 6 MB; a client that takes it at 50 kB/s is still served. */
export const streamingTimeout = Duration.minutes(2)
