import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { contextNames } from './contexts.ts'
import { environmentCredentials } from './environment-credentials.ts'
import { noEventStreams } from './no-event-streams.ts'
import { nodeBuiltins } from './node-builtins.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Bytes of each bundle, by context. */
export type BundleSizes = Readonly<Record<string, number>>

/** Bundles the function of every context, `functions/<context>/index.ts`, into `<outdir>/<context>/index.mjs`. */
export async function bundleFunctions(outdir: string): Promise<BundleSizes> {
  const entries = contextNames.map((context) => [context, join(ROOT, 'functions', context, 'index.ts')])
  return bundle(Object.fromEntries(entries), outdir)
}

/**
 * Bundles entry files, by name, into `<outdir>/<name>/index.mjs`: each with all it needs, so that a function loads one
 * file and nothing is installed in the cloud.
 *
 * @throws esbuild's BuildFailure, which names file and line
 */
export async function bundle(
  entries: Readonly<Record<string, string>>,
  outdir: string,
): Promise<BundleSizes> {
  const { metafile } = await build({
    entryPoints: Object.entries(entries).map(([name, file]) => ({ in: file, out: join(name, 'index') })),
    outdir,
    absWorkingDir: ROOT,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // The SDK's ES modules can be shaken, its CommonJS cannot: 200 kB less.
    mainFields: ['module', 'main'],
    minify: true,
    charset: 'utf8',
    legalComments: 'none',
    metafile: true,
    logLevel: 'silent',
    plugins: [nodeBuiltins, environmentCredentials, noEventStreams],
  })
  return Object.fromEntries(
    Object.entries(metafile.outputs).map(([file, { bytes }]) => [basename(dirname(file)), bytes]),
  )
}
