import { describe, expect, jest, test } from '@jest/globals'
import { chooseColumns } from '#shared/columns/RecordColumns.ts'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { readDataToken, signDataToken, type DataGrant } from '#shared/vault/dataTokens.ts'
import type { KeyStore } from '#shared/vault/ports/KeyStore.ts'

const keysOf = (): KeyStore => {
  const pair = generateKeyPair(nodeBackend)
  return { keyPair: async () => pair }
}
const keys = keysOf()
const grant: DataGrant = {
  manifestKey: 'd/x.bam.manifest.json',
  etag: 'e1',
  unit: 'virtual',
  start: 2 ** 40 + 7,
  end: 2 ** 52,
}

describe('data tokens', () => {
  test('say what was granted', async () => {
    expect(await readDataToken(await signDataToken(grant, keys, 60), keys)).toEqual(grant)
  })

  test('say which columns are sent, shortly', async () => {
    const columns = chooseColumns({ fields: ['QNAME', 'SEQ'], notags: ['OQ', 'XA'] })!
    const records: DataGrant = { ...grant, unit: 'records', columns }
    const token = await signDataToken(records, keys, 60)
    expect(await readDataToken(token, keys)).toEqual(records)
    expect(token.length - (await signDataToken(grant as DataGrant, keys, 60)).length).toBeLessThan(30)
  })

  test("are worth nothing in another vault, nor changed, nor as another's kind", async () => {
    const token = await signDataToken(grant, keys, 60)
    const [head, , signature] = token.split('.') as [string, string, string]
    const payload = Buffer.from(
      JSON.stringify({ f: 'd/secret.bam.manifest.json', g: 'e1', u: 'b', r: [0, 9] }),
    ).toString('base64url')
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
    for (const [tried, where] of [
      [token, keysOf()],
      [`${head}.${payload}.${signature}`, keys],
      [unsigned, keys],
      ['', keys],
      ['x.y.z', keys],
    ] as const)
      await expect(readDataToken(tried, where)).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
  })

  test('end', async () => {
    const token = await signDataToken(grant, keys, 60)
    jest.useFakeTimers({
      now: Date.now() + 61_000,
      doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'],
    })
    try {
      await expect(readDataToken(token, keys)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' })
    } finally {
      jest.useRealTimers()
    }
  })
})
