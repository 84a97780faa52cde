import { globSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

/** The root of the project; all files are named by their path below it. */
export const ROOT = join(import.meta.dirname, '../..')

export const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

const names = (...patterns: readonly string[]) =>
  globSync([...patterns], { cwd: ROOT, exclude: (name) => name === 'node_modules' }).toSorted()

/** Hand-written TypeScript. */
export const SOURCES = names('{functions,infra,shared,test}/**/*.ts', '*.ts')
/** Documents of the repository. */
export const DOCUMENTS = names('*.md', '{functions,infra,shared,test}/**/*.md')
/** What else is written by hand: scripts, settings, stored test data. */
export const SCRIPTS = names(
  '.ci/*',
  '*.json',
  '.npmrc',
  '{functions,infra,shared,test}/**/*.{mjs,js,sh,json}',
)

export type Import = {
  /** The importing file. */
  readonly from: string
  /** The imported file, or the package as it is written. */
  readonly to: string
  /** Nothing of it is there at run time. */
  readonly typeOnly: boolean
}

// `import x from 'y'`, `export … from 'y'`, `import 'y'`, `import('y')`; at the start of a line or behind it.
const STATEMENT = /^(?:import|export)\s+(type\s)?[^'"]*?from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]/gm
const CALL = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g

/** What the text of a file imports, types included. */
export function importsIn(from: string, text: string): Import[] {
  const resolved = (name: string) => (name.startsWith('.') ? posix.join(posix.dirname(from), name) : name)
  return [
    ...[...text.matchAll(STATEMENT)].map(([, type, named, bare]) => ({
      from,
      to: resolved(named ?? bare ?? ''),
      typeOnly: type !== undefined,
    })),
    ...[...text.matchAll(CALL)].map(([, name = '']) => ({ from, to: resolved(name), typeOnly: false })),
  ]
}

/** Comments, texts in quotes, texts in backticks: whichever comes first. */
const PASSIVE = /\/\*[\s\S]*?\*\/|\/\/.*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g

/** Every import of the repository. */
export const IMPORTS: readonly Import[] = SOURCES.flatMap((file) =>
  importsIn(
    file,
    read(file).replaceAll(PASSIVE, (found) => (/^['"]/.test(found) ? found : '')),
  ),
)

/** The code of a file without comments and without texts. */
export function codeOf(file: string): string {
  return read(file).replaceAll(PASSIVE, (found) => (found.startsWith('/') ? '' : "''"))
}
