import middy from '@middy/core'
import type { CdkCustomResourceEvent, CdkCustomResourceResponse } from 'aws-lambda'
import { writePublicKey } from '#shared/crypt4gh/keys/writePublicKey.ts'

/**
 * The custom resource that makes the vault's key pair: at the first deployment, and never again. What it answers, and
 * so what CloudFormation knows, is the public half. Deleting the resource leaves the key where it is.
 */
export function createKeyPairHandler(create: () => Promise<Uint8Array>) {
  return middy<CdkCustomResourceEvent, CdkCustomResourceResponse>().handler(async event => {
    if (event.RequestType === 'Delete') return { PhysicalResourceId: event.PhysicalResourceId }
    return { PhysicalResourceId: 'htsvault-key-pair', Data: { PublicKey: writePublicKey(await create()) } }
  })
}
