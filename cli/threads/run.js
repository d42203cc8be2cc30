import { enableCompileCache } from 'node:module'
import { workerData } from 'node:worker_threads'

// JavaScript, as cli/htsvault.js is: what comes before the compile cache is compiled each time.
/** @type {unknown} */
const start = workerData
const { script, compileCache } = /** @type {{ script: string, compileCache: string | undefined }} */ (start)
if (compileCache !== undefined) enableCompileCache(compileCache)
await import(script)
