import { isBuiltin } from 'node:module'
import type { Plugin } from 'esbuild'

const NAMESPACE = 'node-builtin'

/**
 * esbuild plugin: Node's own modules come from `process.getBuiltinModule` instead of `import`. An ESM import of
 * `node:http` reads every property of it to make its named exports, among them getters that load undici: about 27 ms
 * of a cold start (nodejs/node#59686). It also gives CommonJS dependencies their `require('fs')`, which an ESM bundle
 * does not have.
 *
 * The module is handed to esbuild as CommonJS, so default, named, namespace and dynamic imports and `require` all
 * find what they expect: esbuild copies its properties as getters, which are read when used and not before.
 */
export const nodeBuiltins: Plugin = {
  name: NAMESPACE,
  setup(build) {
    build.onResolve({ filter: /^[a-z_]|^node:/ }, ({ path, kind }) =>
      kind !== 'entry-point' && isBuiltin(path)
        ? { path, namespace: NAMESPACE, sideEffects: false }
        : undefined,
    )
    build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
    }))
  },
}
