import type { Plugin } from 'esbuild'

const NAME = 'environment-credentials'

/**
 * esbuild plugin: the SDK looks for credentials in the environment alone. Lambda always puts them there; the eight
 * other places the SDK knows (SSO, profiles, instance metadata …) bring clients of their own, a quarter of the bundle
 * and a fifth of its import time.
 */
export const environmentCredentials: Plugin = {
  name: NAME,
  setup(build) {
    build.onResolve({ filter: /^@aws-sdk\/credential-provider-node$/ }, ({ path, resolveDir }) => ({
      path,
      namespace: NAME,
      pluginData: { resolveDir },
    }))
    build.onLoad({ filter: /.*/, namespace: NAME }, ({ pluginData }) => ({
      contents: `export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env'`,
      resolveDir: pluginData.resolveDir,
    }))
  },
}
