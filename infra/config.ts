import { RetentionDays } from 'aws-cdk-lib/aws-logs'
import * as z from 'zod'
import { HtsvaultError } from '#shared/errors.ts'

const memory = z.int().min(256).max(10_240)
const days = z.int().min(1).max(3650)

const name = z.string().min(1).max(200)

/** The functions read it again, by a schema of their own: shared/vault/access/IssuerSettings.ts. */
const issuer = z.strictObject({
  /** The `iss` of its tokens, letter for letter. */
  issuer: z
    .string()
    .max(500)
    .regex(/^https:\/\/[^\s?#@]+$/, 'write https://…, as it stands in the "iss" of a token'),
  /** What a token is to name as its audience: one of these, which stand for this vault and nothing else. */
  audience: z.union([name, z.array(name).min(1).max(20)]),
  audienceClaim: z.enum(['aud', 'client_id']).optional(),
  algorithms: z
    .array(z.enum(['RS256', 'ES256', 'PS256', 'EdDSA']))
    .min(1)
    .optional(),
  clockSkewSeconds: z.int().min(0).max(120).optional(),
  groupsClaim: name.optional(),
})

/** How the API finds out who asks. */
type Access = 'iam' | 'oidc' | 'public'

const accessOf = (s: {
  readonly public: boolean
  readonly oidc?: unknown
  readonly cognito?: unknown
}): Access => {
  if (s.public) return 'public'
  return s.oidc || s.cognito ? 'oidc' : 'iam'
}

const schema = z
  .strictObject({
    /** Which of the vaults of an account this is; part of every name. */
    stage: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,19}$/, 'use up to 20 of a-z, 0-9 and -, a letter first')
      .default('prod'),
    /** Who may ask for a ticket: `iam` = who an IAM policy allows, `none` = anyone (with `public: true` only). */
    access: z.enum(['iam', 'none']).optional(),
    /** Who may ask for a ticket: who brings a token of one of these OIDC issuers; who may read what is in `dataset.json`. */
    oidc: z
      .preprocess(
        // One is written without a list; a union would not say what is wrong with it.
        given => (Array.isArray(given) ? (given as unknown[]) : [given]),
        z
          .array(issuer)
          .min(1)
          .max(20)
          .refine(
            all => new Set(all.map(i => i.issuer)).size === all.length,
            'one issuer stands there twice: give it all its audiences in one place',
          ),
      )
      .optional(),
    /** The same with a user pool of Cognito that the stack makes, and keeps. */
    cognito: z
      .strictObject({
        /** Where the web pages and programs of this vault take a sign-in's answer. */
        callbackUrls: z
          .array(
            z
              .string()
              .regex(
                /^(https:\/\/[^\s?#]+|http:\/\/localhost(:\d+)?(\/[^\s?#]*)?)$/,
                'write https://…, or http://localhost:PORT/…',
              ),
          )
          .min(1)
          .max(100)
          .default(['http://localhost:8400/callback']),
        /** How long an access token lives, and so what a ticket hands out at most. */
        tokenMinutes: z.int().min(5).max(1440).default(60),
      })
      .optional(),
    /** Says that anyone on the internet may read everything in this vault. */
    public: z.boolean().default(false),
    /** For each route of the API, and all clients together. */
    throttling: z
      .strictObject({
        requestsPerSecond: z.int().min(1).max(10_000).default(100),
        burst: z.int().min(1).max(5_000).default(200),
      })
      .prefault({}),
    /** Of every log, in days: one of the numbers that CloudWatch takes. */
    logRetentionDays: z.enum(RetentionDays).exclude(['INFINITE']).default(RetentionDays.THREE_MONTHS),
    /** MiB; 1,769 MiB buy one whole processor. The ingest has work for two. */
    memory: z
      .strictObject({
        ingest: memory.default(3538),
        largeIngest: memory.default(1769),
        ticket: memory.default(1024),
        data: memory.default(1769),
      })
      .prefault({}),
    /** How many ingests may run at once; unset, the account's limit is the limit. */
    ingestConcurrency: z.int().min(1).max(1000).optional(),
    /**
     * Files of so many gigabytes (10^9 bytes) and more are taken in by so many workers at once. One function run takes
     * in the others; it has 15 minutes.
     */
    largeFiles: z
      .strictObject({
        fromGigabytes: z.number().min(0.1).max(60).default(8),
        workers: z.int().min(1).max(1000).default(100),
      })
      .prefault({}),
    /** How long what was deleted or overwritten can still be brought back. In the inbox that is plain data. */
    oldVersionDays: z.strictObject({ inbox: days.default(1), vault: days.default(30) }).prefault({}),
    /** Which web pages may read the vault's objects by the URLs of a ticket. */
    corsOrigins: z
      .array(z.string().regex(/^(\*|https?:\/\/[^/]+)$/, 'write https://host, without a path'))
      .min(1)
      .default(['*']),
    /** Whom alarms are sent to, and where they begin. Without an address or topic they are seen in CloudWatch alone. */
    alarms: z
      .strictObject({
        /** Each is asked by mail whether it wants them. */
        emails: z.array(z.email()).max(10).default([]),
        /** A topic that is there already, and lets CloudWatch publish. */
        topicArn: z
          .string()
          .regex(/^arn:[\w-]+:sns:[a-z0-9-]+:\d{12}:[\w-]+$/, 'write the ARN of an SNS topic')
          .optional(),
        /** Bytes out of AWS cost more than all else; in gigabytes (10^9 bytes) a day, of the data route. */
        dataGigabytesPerDay: z.int().min(1).default(500),
        /** The slowest hundredth of the tickets, in milliseconds. */
        ticketMilliseconds: z.int().min(100).max(28_000).default(5000),
      })
      .prefault({}),
    /** The API under a name of your own; its `execute-api` name is then switched off. */
    domain: z
      .strictObject({
        name: z
          .string()
          .regex(
            /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/,
            'write a host name, like htsget.example.org',
          ),
        /** Of ACM, in the region of the vault. */
        certificateArn: z
          .string()
          .regex(
            /^arn:[\w-]+:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/,
            'write the ARN of an ACM certificate',
          ),
        /** Where Route 53 serves the name, its zone, for the record; else make a CNAME of the output `DomainTarget`. */
        hostedZone: z
          .strictObject({
            id: z.string().regex(/^Z[A-Z0-9]+$/, "write the zone's id"),
            name: z.string().min(1),
          })
          .optional(),
      })
      .optional(),
    /** A web firewall before the API: AWS's lists of bad addresses and requests, and a limit for each address. */
    firewall: z
      .strictObject({
        /** From one address; a genome in pieces of 6 MB is thousands of requests. */
        requestsPerFiveMinutes: z.int().min(10).max(2_000_000_000).default(10_000),
      })
      .optional(),
    /** Whether to make the role with which API Gateway writes logs: one an account and region, so `false` where there is one. */
    apiLogRole: z.boolean().default(true),
  })
  .superRefine((s, context) => {
    const ways = [
      s.access === 'iam' && '"access": "iam"',
      s.oidc && '"oidc"',
      s.cognito && '"cognito"',
      s.public && '"public": true',
    ].filter(way => typeof way === 'string')
    if (ways.length > 1)
      context.addIssue({
        code: 'custom',
        path: [s.public ? 'public' : s.oidc ? 'oidc' : 'cognito'],
        message: `${ways.join(' and ')} are opposite ways to say who may ask: keep one of them`,
      })
  })
  .refine(s => s.public || s.access !== 'none', {
    path: ['access'],
    message:
      'an API that anyone can read is refused: set "oidc", "cognito" or "access": "iam", or say "public": true if all that this vault ever holds may be read by anyone',
  })
  .transform(s => ({ ...s, access: accessOf(s) }))
  .readonly()

/** The settings of one vault, complete: every default is filled in. */
export type Settings = z.output<typeof schema>
/** The settings as they are written down: all of them may be left out. */
export type SettingsInput = z.input<typeof schema>

/**
 * Reads a vault's settings: an object, or its JSON (which is how `cdk -c htsvault='{…}'` passes one).
 * @throws HtsvaultError SETTINGS_INVALID
 */
export function readSettings(input: unknown = {}): Settings {
  const parsed = schema.safeParse(typeof input === 'string' ? parseJson(input) : input)
  if (parsed.success) return parsed.data
  throw refusal(z.prettifyError(parsed.error))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw refusal('they are not JSON', cause)
  }
}

const refusal = (what: string, cause?: unknown) =>
  new HtsvaultError('SETTINGS_INVALID', `the settings cannot be used:\n${what}`, {
    hint: 'Mend "htsvault" under "context" in cdk.json; docs/deploy.md lists the settings.',
    cause,
  })
