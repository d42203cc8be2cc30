import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { folderStore } from '#shared/local/folderStore.ts'
import {
  addRegisteredKey,
  listRegisteredKeys,
  registeredKeys,
  removeRegisteredKey,
} from '#shared/vault/registeredKeys.ts'
import { newKeys } from '#test/crypt4gh/support.ts'

const scratch = mkdtempSync(join(tmpdir(), 'htsvault-registered-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
const vault = folderStore(scratch)
const { publicKey } = newKeys()
const keysOf = async () => {
  const keys: string[] = []
  for await (const { key } of vault.list('')) keys.push(key)
  return keys
}

test('people are told apart by issuer and subject, whatever is in them', async () => {
  const people = [
    { issuer: 'a', subject: 'b/../c' },
    { issuer: 'a"', subject: ',"b' },
    { issuer: 'a","', subject: 'b' },
    { issuer: 'ü'.repeat(500), subject: '\u0000\n' },
  ]
  for (const person of people) await addRegisteredKey(vault, person, publicKey)
  expect(new Set(await keysOf()).size).toBe(4)
  for (const person of people) expect(await registeredKeys(vault, person)).toEqual([publicKey])
  expect(await registeredKeys(vault, { issuer: 'b', subject: 'a' })).toEqual([])
  const listed = []
  for await (const { issuer, subject } of listRegisteredKeys(vault)) listed.push({ issuer, subject })
  expect(listed).toEqual(expect.arrayContaining(people))
  for (const person of people) expect(await removeRegisteredKey(vault, person)).toBe(true)
  expect(await keysOf()).toEqual([])
  expect(await removeRegisteredKey(vault, people[0]!)).toBe(false)
})

test("a record under another's name, or broken, is nobody's key", async () => {
  const [alice, eve] = [
    { issuer: 'i', subject: 'alice' },
    { issuer: 'i', subject: 'eve' },
  ]
  await addRegisteredKey(vault, eve, publicKey)
  const [eves] = await keysOf()
  const record = (await vault.get(eves!, 1e6))!.bytes
  await removeRegisteredKey(vault, eve)
  await addRegisteredKey(vault, alice, publicKey)
  const [alices] = await keysOf()
  for (const bytes of [record, Buffer.from('{}'), Buffer.from('\xff', 'latin1')]) {
    await vault.put(alices!, bytes)
    await expect(registeredKeys(vault, alice)).rejects.toMatchObject({ code: 'REGISTERED_KEYS_CORRUPT' })
  }
})
