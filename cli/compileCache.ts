import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'

/**
 * The folder that `enableCompileCache` was given, if any: for worker threads, which do not have their parent's (0.1 s
 * of CPU time each).
 */
export function compileCacheFolder(): string | undefined {
  // What Node tells is the folder of its own version, within the one that was named.
  const versioned = getCompileCacheDir()
  return versioned === undefined ? undefined : dirname(versioned)
}
