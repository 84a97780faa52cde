import { statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { bundle } from '../../../infra/bundle.ts'

const path = (relative: string) => fileURLToPath(new URL(`../../../${relative}`, import.meta.url))

/** Bundled as they are deployed. */
const DEPLOYED = {
  validation: path('functions/validation/index.ts'),
  licenses: path('functions/licenses/index.ts'),
  catalog: path('functions/catalog/index.ts'),
  tenants: path('functions/tenants/index.ts'),
  people: path('functions/people/index.ts'),
  seats: path('functions/seats/index.ts'),
  getItem: path('test/bench/floors/get-item.ts'),
  leases: path('functions/leases/index.ts'),
  leasePair: path('test/bench/floors/lease-pair.ts'),
  leaseTransaction: path('test/bench/floors/lease-transaction.ts'),
  unsignedLicenses: path('test/bench/floors/unsigned-licenses.ts'),
} as const

/** Bundled by esbuild alone, without the plugins of infra/bundle.ts. */
const PLAIN = { sdkClient: path('test/bench/floors/sdk-client.ts') } as const

type Bundle = { readonly file: string; readonly bytes: number }
export type Bundles = Readonly<Record<keyof typeof DEPLOYED | keyof typeof PLAIN, Bundle>>

export async function bundleAll(folder: string): Promise<Bundles> {
  await bundle(DEPLOYED, folder)
  await build({
    entryPoints: Object.entries(PLAIN).map(([name, file]) => ({ in: file, out: join(name, 'index') })),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    minify: true,
    logLevel: 'silent',
  })
  const made = (name: keyof Bundles): Bundle => {
    const file = join(folder, name, 'index.mjs')
    return { file, bytes: statSync(file).size }
  }
  return {
    validation: made('validation'),
    licenses: made('licenses'),
    catalog: made('catalog'),
    tenants: made('tenants'),
    people: made('people'),
    seats: made('seats'),
    getItem: made('getItem'),
    leases: made('leases'),
    leasePair: made('leasePair'),
    leaseTransaction: made('leaseTransaction'),
    unsignedLicenses: made('unsignedLicenses'),
    sdkClient: made('sdkClient'),
  }
}
