import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { App, Stack } from 'aws-cdk-lib'
import { CfnBucket } from 'aws-cdk-lib/aws-s3'
import { expect, test } from '@jest/globals'
import { readSettings } from '../../infra/config.ts'
import { StatefulStack } from '../../infra/stacks/StatefulStack.ts'
import { StatelessStack } from '../../infra/stacks/StatelessStack.ts'

const { context } = JSON.parse(readFileSync(join(import.meta.dirname, '../../cdk.json'), 'utf8')) as {
  context: Record<string, unknown>
}
const newApp = () => new App({ context: { ...context, 'aws:cdk:bundling-stacks': [] } })

test("the templates break none of CloudFormation's rules, and a synthesis fails where one does", () => {
  const app = newApp()
  const settings = readSettings()
  const { state } = new StatefulStack(app, 'stateful', { settings })
  new StatelessStack(app, 'stateless', { settings, state })
  expect(() => app.synth()).not.toThrow()

  const careless = newApp()
  new CfnBucket(new Stack(careless, 'Careless'), 'Bucket', { accessControl: 'Anything' })
  expect(() => careless.synth()).toThrow()
})
