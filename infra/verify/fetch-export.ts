import { appendFileSync, writeFileSync } from 'node:fs'
import { Fault } from './fault.ts'

const NEXT = /<([^>]+)>; *rel="next"/

/**
 * Fetches all pages of a log's export into a file, one after the other.
 *
 * @param url of the log, such as `https://licensing.example.com/v1/tenants/ten_…/audit`, or of its export
 */
export async function fetchExport(url: string, token: string | undefined, file: string): Promise<void> {
  const { origin, pathname } = new URL(url)
  // The API may lie below a path, of which its links say nothing.
  const below = pathname.slice(0, Math.max(0, pathname.indexOf('/v1/')))
  let path: string | undefined = `${pathname.replace(/\/(export)?$/, '')}/export`
  writeFileSync(file, '')
  while (path !== undefined) {
    const response: Response = await fetch(new URL(path, origin), {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      // A credential goes nowhere else.
      redirect: 'error',
    }).catch((error: unknown) => {
      const { message, cause = '' } = error instanceof Error ? error : new Error(String(error))
      throw new Fault('FILE_UNREADABLE', `${origin} did not answer: ${message} ${cause}`.trimEnd())
    })
    const text = await response.text()
    if (response.status === 429) {
      await new Promise((resolve) =>
        setTimeout(resolve, Number(response.headers.get('retry-after') ?? 1) * 1_000),
      )
      continue
    }
    if (response.status === 401)
      throw new Fault('FILE_UNREADABLE', `${origin} wants a token that may read the log, in LATCHKEY_TOKEN`)
    if (!response.ok)
      throw new Fault('FILE_UNREADABLE', `${origin}${path} answered ${response.status}: ${text}`)
    appendFileSync(file, text)
    const next = NEXT.exec(response.headers.get('link') ?? '')?.[1]
    path = next && `${below}${next}`
  }
}
