import { App, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { readSettings } from './config.ts'
import { StatefulStack } from './stacks/StatefulStack.ts'
import { StatelessStack } from './stacks/StatelessStack.ts'

const app = new App()
Validations.of(app).addPlugins(new AwsSolutionsChecks(app))

const settings = readSettings(app.node.tryGetContext('htsvault') ?? {})
// What the CDK command found out from the credentials; without any, the templates fit every account and region.
const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env
const name = `htsvault-${settings.stage}`
const common = {
  settings,
  ...(account !== undefined && region !== undefined && { env: { account, region } }),
  tags: { application: 'htsvault', stage: settings.stage },
}

const { state } = new StatefulStack(app, `${name}-stateful`, {
  ...common,
  description: 'htsvault: the buckets, the encryption key and the key pair. Losing this loses data.',
  terminationProtection: true,
})
new StatelessStack(app, `${name}-stateless`, {
  ...common,
  state,
  description: 'htsvault: ingest, tickets and data. Can be deleted and deployed again at any time.',
})
