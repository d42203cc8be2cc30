#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

// Compiled once, then read: 0.1 s less for every command; and 0.06 s more as this file is not TypeScript, for which
// Node would start its compiler. In the user's own folder, where nobody else can write; without one that can be written,
// nothing is kept.
enableCompileCache(join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'htsvault'))
await import('./main.ts')
