import { spawn } from 'node:child_process'
import { startAwsServer, type AwsServer } from './awsServer.ts'
import { toolPath } from './interop.ts'

/**
 * Starts LocalStack's S3 (`.ci/requirements-s3.txt`), which checks the signatures of presigned URLs, and waits until it
 * answers. It asks nothing of the network. What it writes is in `folder`, but for large objects: nameless files below
 * /tmp/localstack-s3-storage, which end with it.
 */
export const startLocalstackS3 = (folder: string): Promise<AwsServer> =>
  startAwsServer(
    port =>
      spawn(toolPath('localstack-supervisor')!, [], {
        stdio: 'ignore',
        env: {
          ...process.env,
          GATEWAY_LISTEN: `127.0.0.1:${port}`,
          SERVICES: 's3',
          STRICT_SERVICE_LOADING: '1',
          S3_SKIP_SIGNATURE_VALIDATION: '0',
          DISABLE_EVENTS: '1',
          SKIP_SSL_CERT_DOWNLOAD: '1',
          DNS_ADDRESS: '0',
          HOME: folder,
          FILESYSTEM_ROOT: folder,
          LOCALSTACK_VOLUME_DIR: folder,
        },
      }),
    '/_localstack/health',
  )
