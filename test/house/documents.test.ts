import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DOCUMENTS, ROOT, read, SCRIPTS, SOURCES } from './source-files.ts'

/** The targets of a document's links, without those to the web and to a heading of its own. */
function relativeLinks(document: string): string[] {
  const prose = read(document).replaceAll(/```[\s\S]*?```/g, '')
  const inline = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)]
  const references = [...prose.matchAll(/^\[[^\]]+\]:\s*<?([^\s>]+)/gm)]
  return [...inline, ...references]
    .map(([, target = '']) => target)
    .filter((target) => !/^([a-z]+:|#|\/\/)/.test(target))
}

const headingsOf = (document: string) =>
  [...read(document).matchAll(/^#+\s+(.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  )

describe.each(DOCUMENTS)('%s', (document) => {
  test('has no dead link', () => {
    const dead = relativeLinks(document).filter((link) => {
      const [path = '', heading] = link.split('#')
      const target = posix.join(posix.dirname(document), decodeURIComponent(path))
      if (target.startsWith('..') || !existsSync(join(ROOT, target))) return true
      return heading !== undefined && target.endsWith('.md') && !headingsOf(target).includes(heading)
    })
    expect(dead).toEqual([])
  })

  test('names no heading of its own that is not there', () => {
    const own = [...read(document).matchAll(/\]\(#([^)]+)\)/g)].map(([, heading = '']) => heading)
    expect(own.filter((heading) => !headingsOf(document).includes(heading))).toEqual([])
  })

  test('names files in backticks only if they are there', () => {
    // `functions/routes.ts`, `local/`: a path with a folder, of ours by its first part, without a placeholder.
    const named = [...read(document).matchAll(/`((?:functions|infra|shared|test)\/[\w./-]*)`/g)]
    const missing = named.map(([, path = '']) => path).filter((path) => !existsSync(join(ROOT, path)))
    expect(missing).toEqual([])
  })
})

describe('what is written by hand', () => {
  const all = [...DOCUMENTS, ...SCRIPTS, ...SOURCES].filter((file) => !file.startsWith('test/house/'))

  test('names no absolute path of a machine', () => {
    const absolute = /(?<![\w.~}])\/(home|Users|root|work|workspace|private|mnt|opt|srv)\/\w|\b[A-Z]:\\\w/
    expect(all.filter((file) => absolute.test(read(file)))).toEqual([])
  })

  test('names no package registry', () => {
    const registry = /\b(registry\.|npmjs\.(org|com)|pypi\.org|proxy\.golang|artifactory|jfrog|nexus\.)/i
    expect(all.filter((file) => registry.test(read(file)))).toEqual([])
  })
})
