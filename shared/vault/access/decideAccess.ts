import type { Identity } from '../Identity.ts'
import type { Grant } from './Grant.ts'

/** Whether somebody may read, and until when, in seconds since 1970. */
export type Decision = { readonly allowed: false } | { readonly allowed: true; readonly expires?: number }

const denied: Decision = { allowed: false }

/**
 * Whether this identity may read a dataset with these grants, at `now` in seconds since 1970. One grant is enough;
 * without one, nobody may. It ends when the identity's proof does, or the longest grant, whichever is first.
 */
export function decideAccess(grants: readonly Grant[], identity: Identity, now: number): Decision {
  const ends = grants.filter(grant => isFor(grant, identity)).map(endOf)
  if (ends.length === 0) return denied
  const expires = Math.min(identity.expires ?? Infinity, Math.max(...ends))
  if (!(expires > now)) return denied
  return expires === Infinity ? { allowed: true } : { allowed: true, expires }
}

function isFor(grant: Grant, { issuer, subject, groups = [], claims }: Identity): boolean {
  if (grant.issuer !== issuer) return false
  if ('subject' in grant) return grant.subject === subject
  if ('group' in grant) return groups.includes(grant.group)
  if ('claim' in grant)
    return Object.hasOwn(claims, grant.claim) && [claims[grant.claim]].flat().includes(grant.value)
  return grant.anyone
}

/** A time that cannot be read has passed. */
function endOf({ expires }: Grant): number {
  if (expires === undefined) return Infinity
  const milliseconds = Date.parse(expires)
  return Number.isNaN(milliseconds) ? 0 : Math.floor(milliseconds / 1000)
}
