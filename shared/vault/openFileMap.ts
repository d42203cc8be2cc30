import { LRUCache } from 'lru-cache'
import { keepTail } from '#shared/bytes/keepTail.ts'
import { openBlockMap, type BlockMap } from '#shared/indexes/blockMap/openBlockMap.ts'
import type { Manifest } from './Manifest.ts'
import { openStored } from './openStored.ts'
import { perStore } from './perStore.ts'
import type { VaultPorts } from './VaultPorts.ts'

/** Of a block map what is read first: all of it up to a file of some GB, its directories up to some 100 GB. */
const mapTailBytes = 512 << 10

/** Block maps that were asked for lately, by the object's etag: it never changes. */
const openMaps = perStore(() => new LRUCache<string, Promise<BlockMap>>({ maxSize: 128 << 20 }))

/** What an open map may come to hold, in bytes: its end, and of its pages the 4 MiB used last. */
const sizeOf = ({ tail, plainSize }: Manifest['blockMap']) =>
  4 * tail + Math.min(plainSize, mapTailBytes + (4 << 20)) + 1

/**
 * A file's block map, open; one that was asked for lately without a read of the storage.
 * @throws HtsvaultError BLOCK_MAP_CORRUPT, and what the store throws
 */
export function openFileMap(ports: VaultPorts, { blockMap }: Pick<Manifest, 'blockMap'>): Promise<BlockMap> {
  const maps = openMaps(ports.vault)
  const key = `${blockMap.key} ${blockMap.etag}`
  const known = maps.get(key)
  if (known) return known
  const opened = openStored(ports, blockMap)
    .then(source => keepTail(source, Math.max(mapTailBytes, blockMap.tail)))
    .then(source => openBlockMap(source, blockMap.tail))
  maps.set(key, opened, { size: sizeOf(blockMap) })
  opened.catch(() => maps.delete(key))
  return opened
}
