/** Bundles a benchmark as the functions are, so that what it measures of our code starts as it is deployed. */
export async function bundle(entry: string, outfile: string): Promise<void> {
  // Not for the bundle itself, which comes by here too.
  const { build } = await import('esbuild')
  await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['esbuild'],
    outfile,
    logLevel: 'error',
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  })
}
