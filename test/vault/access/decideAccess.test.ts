import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decideAccess } from '#shared/vault/access/decideAccess.ts'
import type { Grant } from '#shared/vault/access/Grant.ts'
import type { Identity } from '#shared/vault/Identity.ts'

const lab = 'https://login.example.org'
const alice: Identity = {
  issuer: lab,
  subject: 'alice',
  groups: ['readers'],
  claims: { sub: 'alice', home: ['unibe.ch', 'sib.swiss'], level: 2, trusted: true },
  expires: 2000,
}
const may = (grants: Grant[], who = alice, now = 1000) => decideAccess(grants, who, now)
const iso = (seconds: number) => new Date(seconds * 1000).toISOString()

describe('who may read', () => {
  test.each<[string, Grant]>([
    ['a subject', { issuer: lab, subject: 'alice' }],
    ['a group', { issuer: lab, group: 'readers' }],
    ['a claim that is a text in a list', { issuer: lab, claim: 'home', value: 'unibe.ch' }],
    ['a claim that is a number', { issuer: lab, claim: 'level', value: 2 }],
    ['a claim that is true', { issuer: lab, claim: 'trusted', value: true }],
    ['anyone of an issuer', { issuer: lab, anyone: true }],
  ])('%s', (_, grant) => {
    expect(may([grant])).toEqual({ allowed: true, expires: 2000 })
    expect(may([{ ...grant, issuer: 'https://other.example.org' }])).toEqual({ allowed: false })
    expect(may([{ ...grant, expires: iso(1500) }])).toEqual({ allowed: true, expires: 1500 })
    expect(may([{ ...grant, expires: iso(1000) }])).toEqual({ allowed: false })
    expect(may([{ ...grant, expires: 'soon' }])).toEqual({ allowed: false })
  })

  test.each<[string, Grant]>([
    ['another spelling of the subject', { issuer: lab, subject: 'Alice' }],
    ['a group that only begins so', { issuer: lab, group: 'read' }],
    ['a claim with another type', { issuer: lab, claim: 'level', value: '2' }],
    ['a claim that objects inherit', { issuer: lab, claim: 'constructor', value: 'x' }],
    ['a claim that is not there', { issuer: lab, claim: 'visa', value: 'x' }],
  ])('not %s', (_, grant) => {
    expect(may([grant])).toEqual({ allowed: false })
  })

  test('of several grants the longest counts, and never beyond the proof of who asks', () => {
    const grants: Grant[] = [
      { issuer: lab, subject: 'alice', expires: iso(1200) },
      { issuer: lab, group: 'readers', expires: iso(1700) },
      { issuer: lab, subject: 'bob' },
    ]
    expect(may(grants)).toEqual({ allowed: true, expires: 1700 })
    expect(may(grants, { ...alice, expires: 1300 })).toEqual({ allowed: true, expires: 1300 })
    expect(may(grants, { ...alice, expires: 999 })).toEqual({ allowed: false })
    const timeless = { issuer: lab, subject: 'alice', claims: {} }
    expect(may([{ issuer: lab, anyone: true }], timeless)).toEqual({ allowed: true })
  })
})

const word = fc.constantFrom('a', 'b', 'c')
const issuer = word
const expires = fc.option(fc.integer({ min: 0, max: 3000 }).map(iso), { nil: undefined })
const grant = fc.oneof(
  fc.record({ issuer, expires, subject: word }),
  fc.record({ issuer, expires, group: word }),
  fc.record({ issuer, expires, claim: word, value: word }),
  fc.record({ issuer, expires, anyone: fc.constant(true as const) }),
)
const identity = fc.record({
  issuer: word,
  subject: word,
  groups: fc.array(word, { maxLength: 2 }),
  claims: fc.dictionary(word, fc.oneof(word, fc.array(word), fc.constant(null)), { maxKeys: 2 }),
  expires: fc.integer({ min: 0, max: 3000 }),
}) as fc.Arbitrary<Identity>
const now = fc.integer({ min: 0, max: 3000 })

describe('for any grants and anybody', () => {
  test('no grant, or none of the issuer: nobody', () => {
    fc.assert(
      fc.property(fc.array(grant), identity, now, (grants, who, at) => {
        const others = grants.filter(g => g.issuer !== who.issuer)
        expect(decideAccess(others, who, at)).toEqual({ allowed: false })
      }),
    )
  })

  test('a leave always ends after now, and not after who asks or the last of the grants', () => {
    let allowed = 0
    fc.assert(
      fc.property(fc.array(grant), identity, now, (grants, who, at) => {
        const decision = decideAccess(grants, who, at)
        if (!decision.allowed) return
        allowed++
        expect(decision.expires).toBeGreaterThan(at)
        expect(decision.expires).toBeLessThanOrEqual(who.expires!)
      }),
      { numRuns: 1000 },
    )
    expect(allowed).toBeGreaterThan(50)
  })

  test('more grants never take away, fewer never give', () => {
    fc.assert(
      fc.property(fc.array(grant), fc.array(grant), identity, now, (some, more, who, at) => {
        const few = decideAccess(some, who, at)
        const all = decideAccess([...some, ...more], who, at)
        if (few.allowed) expect(all.allowed).toBe(true)
        if (few.allowed && all.allowed) expect(all.expires!).toBeGreaterThanOrEqual(few.expires!)
      }),
    )
  })

  test('a decision of many is the best of the decisions of each', () => {
    fc.assert(
      fc.property(fc.array(grant), identity, now, (grants, who, at) => {
        const each = grants.map(g => decideAccess([g], who, at)).filter(d => d.allowed)
        const best = Math.max(...each.map(d => d.expires ?? Infinity))
        const all = decideAccess(grants, who, at)
        expect(all).toEqual(each.length === 0 ? { allowed: false } : { allowed: true, expires: best })
      }),
    )
  })
})
