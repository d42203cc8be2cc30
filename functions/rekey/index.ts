import { keyPairSecret } from '#shared/aws/awsClients.ts'
import { secretRotation } from '#shared/aws/keyPairSecret.ts'
import { keyPairSettings } from '../environment.ts'
import { lambdaLog } from '../lambdaLog.ts'
import { lambdaPorts } from '../lambdaPorts.ts'
import { createRekeyHandler } from './handler.ts'

export const handler = createRekeyHandler({
  ports: lambdaPorts,
  rotation: () => secretRotation(keyPairSecret(keyPairSettings())),
  log: lambdaLog,
})
