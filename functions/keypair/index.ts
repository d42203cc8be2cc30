import { keyPairSecret } from '#shared/aws/awsClients.ts'
import { createKeyPairSecret } from '#shared/aws/keyPairSecret.ts'
import { keyPairSettings } from '../environment.ts'
import { createKeyPairHandler } from './handler.ts'

export const handler = createKeyPairHandler(() => createKeyPairSecret(keyPairSecret(keyPairSettings())))
