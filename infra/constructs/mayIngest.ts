import type { EventBus } from 'aws-cdk-lib/aws-events'
import {
  because,
  keyPairEnvironment,
  neverOnObjects,
  onBus,
  onKeyPair,
  onList,
  onObjectKeys,
  onObjects,
  vaultKeys,
} from './permissions.ts'
import type { VaultFunctionProps } from './VaultFunction.ts'
import type { VaultState } from './VaultState.ts'

/** What a function that ingests is told, and all that it may do: takes from the inbox, writes the vault. */
export const mayIngest = (
  state: VaultState,
  bus: EventBus,
): Pick<VaultFunctionProps, 'environment' | 'may' | 'wildcards'> => ({
  environment: {
    INBOX_BUCKET: state.inbox.bucketName,
    VAULT_BUCKET: state.vault.bucketName,
    EVENT_BUS: bus.eventBusName,
    ...keyPairEnvironment(state.keyPair),
  },
  may: [
    onObjects(state.inbox, ['s3:GetObject', 's3:DeleteObject']),
    onObjects(state.inbox, ['s3:PutObject'], ['*.refused.json']),
    onObjects(state.vault, ['s3:AbortMultipartUpload', 's3:DeleteObject', 's3:GetObject', 's3:PutObject']),
    // Who may open and read a dataset, and by which references its files are checked, is for its owner to say, and
    // whose a key is for the operator.
    neverOnObjects(
      state.vault,
      ['s3:DeleteObject', 's3:PutObject'],
      [...vaultKeys.settings, ...vaultKeys.dictionaries, ...vaultKeys.registeredKeys],
    ),
    onList(state.inbox, state.vault),
    onObjectKeys(state, 'readWrite', state.inbox, state.vault),
    ...onKeyPair(state.keyPair),
    onBus(bus),
  ],
  wildcards: {
    ...because("Any upload, and any file of the vault: datasets and names are the users' own.", '*'),
    ...because('Into the inbox it writes refusals alone, beside any upload.', '*.refused.json'),
  },
})
