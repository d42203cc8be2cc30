import { readdirSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { output, requireTools, run, temporaryFolder } from '../support/interop.ts'

const root = join(import.meta.dirname, '../..')
const tools = join(root, 'node_modules', '.bin')
/** Wherever somebody looks for the network, there is none; and no credentials. */
const nowhere = 'http://127.0.0.1:9'
const env = {
  PATH: [tools, process.env['PATH']].join(delimiter),
  HTTP_PROXY: nowhere,
  HTTPS_PROXY: nowhere,
  http_proxy: nowhere,
  https_proxy: nowhere,
  npm_config_offline: 'true',
  CDK_DOCKER: '/nonexistent',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
  AWS_CONFIG_FILE: '/nonexistent',
}

/** `cdk synth` as a person runs it, into a folder. */
const synth = (into: string, settings: object) =>
  run(
    join(tools, 'cdk'),
    ['synth', '--quiet', '--output', into, '-c', `htsvault=${JSON.stringify(settings)}`],
    { cwd: root, env },
  )

const templatesIn = (folder: string) =>
  readdirSync(folder)
    .filter(name => name.endsWith('.template.json'))
    .map(name => join(folder, name))

describe('cdk synth, without network, credentials or Docker', () => {
  const folder = temporaryFolder()
  beforeAll(async () => {
    const { code, stderr } = await synth(folder, {})
    if (code !== 0) throw new Error(stderr)
  }, 120_000)

  test('writes both stacks', () => {
    expect(templatesIn(folder)).toHaveLength(2)
  })

  test('makes six bundles, each of which Node 24 loads and finds a handler in', async () => {
    const bundles = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name =>
      name.endsWith('index.mjs'),
    )
    expect(bundles).toHaveLength(6)
    for (const bundle of bundles) {
      const url = pathToFileURL(join(folder, bundle)).href
      // What the Lambda runtime has, and the streaming handler asks for when it is loaded.
      const script = `process.env.ACCESS = 'iam' // What the stack says of who may ask.
        globalThis.awslambda = { streamifyResponse: f => f, HttpResponseStream: {} }
        const { handler } = await import(${JSON.stringify(url)})
        console.log(typeof handler)`
      const said = await output(process.execPath, ['--input-type=module', '-e', script], { cwd: folder })
      expect([bundle, said.toString().trim()]).toEqual([bundle, 'function'])
    }
  }, 60_000)

  test('writes no private key and no token into a template', () => {
    for (const template of templatesIn(folder))
      expect(readFileSync(template, 'utf8')).not.toMatch(
        /PRIVATE KEY|SecretString|GenerateSecretString|eyJ[A-Za-z0-9_-]{8}/,
      )
  })

  test('refuses an API that anyone can read, and says what to do', async () => {
    const { code, stderr } = await synth(join(folder, 'refused'), { access: 'none' })
    expect(code).not.toBe(0)
    expect(stderr).toContain('"public": true')
    expect(stderr).toContain('SETTINGS_INVALID')
  }, 60_000)
})

requireTools('cfn-lint')('cfn-lint', () => {
  const folder = temporaryFolder()

  test.each([
    ['private', { stage: 'lint' }],
    [
      'watched and fenced',
      {
        stage: 'lint',
        alarms: { emails: ['ops@example.org'] },
        firewall: {},
        domain: {
          name: 'htsget.example.org',
          certificateArn: 'arn:aws:acm:eu-central-1:111122223333:certificate/1-2-3',
          hostedZone: { id: 'Z123', name: 'example.org' },
        },
      },
    ],
    ['public', { stage: 'lint', public: true, ingestConcurrency: 5 }],
  ])(
    'finds nothing in the templates of a %s vault',
    async (_, settings) => {
      const synthesised = await synth(folder, settings)
      expect([synthesised.code, synthesised.code === 0 ? '' : synthesised.stderr]).toEqual([0, ''])
      // W3005: CDK writes dependencies that references imply already. They are harmless, and not ours to leave out.
      const { code, stdout } = await run('cfn-lint', [
        '--ignore-checks',
        'W3005',
        '--',
        ...templatesIn(folder),
      ])
      expect([code, stdout.toString()]).toEqual([0, ''])
    },
    120_000,
  )
})
