import { basename, dirname, join, parse, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'
import { needs } from '../functions/needs.ts'
import { contextNames } from './contexts.ts'
import { leftOut } from './left-out.ts'
import { nodeBuiltins } from './node-builtins.ts'
import { COUNTRY_MODULE } from './stage.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Bytes of each bundle, by context. */
export type BundleSizes = Readonly<Record<string, number>>

/**
 * Bundles the function of every context, `functions/<context>/index.ts`, into `<outdir>/<context>/index.mjs`, and the
 * vendor's country module, if there is one, beside those that ask it.
 *
 * @param countryModule its file, seen from the repository's folder
 */
export async function bundleFunctions(outdir: string, countryModule?: string): Promise<BundleSizes> {
  const entries = contextNames.map((context) => [context, join(ROOT, 'functions', context, 'index.ts')])
  const sizes = await bundle(Object.fromEntries(entries), outdir)
  const asking = contextNames.filter((context) => countryModule !== undefined && 'places' in needs[context])
  await Promise.all(
    asking.map((context) =>
      build({
        ...OPTIONS,
        entryPoints: { [parse(COUNTRY_MODULE).name]: resolve(ROOT, countryModule ?? '') },
        // Of its own, so that what it imports as data is copied into it; see places/country-module.ts.
        outdir: join(outdir, context),
        loader: { '.bin': 'file', '.csv': 'file', '.dat': 'file', '.mmdb': 'file' },
      }),
    ),
  )
  return sizes
}

/** What is made of every entry: one file for Node 24 that loads nothing else. */
const OPTIONS = {
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
  logLevel: 'silent',
  plugins: [nodeBuiltins, leftOut],
} satisfies BuildOptions

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
    ...OPTIONS,
    entryPoints: Object.entries(entries).map(([name, file]) => ({ in: file, out: join(name, 'index') })),
    outdir,
    metafile: true,
  })
  return Object.fromEntries(
    Object.entries(metafile.outputs).map(([file, { bytes }]) => [basename(dirname(file)), bytes]),
  )
}
