import * as z from 'zod'

const text = z.string().min(1).max(500)
const common = {
  /** Of the tokens that it is for: subjects and groups of two issuers have nothing to do with each other. */
  issuer: text,
  /** When it ends: a time with a zone, `2027-06-30T00:00:00Z`. */
  expires: z.iso.datetime({ offset: true }).optional(),
  /** For people: for what, by whose decision. */
  note: z.string().max(1000).optional(),
}

/** One reason to let somebody read a dataset. */
export const grantSchema = z.union(
  [
    z.strictObject({ ...common, subject: text }),
    z.strictObject({ ...common, group: text }),
    z.strictObject({
      ...common,
      claim: text,
      value: z.union([text, z.number(), z.boolean()]),
    }),
    z.strictObject({ ...common, anyone: z.literal(true) }),
  ],
  'a grant has an "issuer" and one of "subject", "group", "claim" with "value", or "anyone": true; besides, "expires" and "note" (docs/access.md)',
)

export type Grant = z.output<typeof grantSchema>
