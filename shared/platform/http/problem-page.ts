import type { Route } from './contract.ts'
import type { HttpResult } from './event.ts'
import { HTML_HEADERS } from './respond.ts'

/** Is what is answered a page that people open? */
export const isPage = ({ success }: Pick<Route, 'success'>): boolean =>
  'media' in success && success.media?.includes('text/html') === true

/**
 * A problem document, or a page in its place for who opened a link in a browser, which asks for `text/html`: it knows
 * nothing of problem documents, nor the page which language it speaks.
 */
export function problemFor(accept: string | undefined, route: Route, problem: HttpResult): HttpResult {
  if (!(isPage(route) && accept?.includes('text/html'))) return problem
  const { statusCode, headers } = problem
  return {
    ...problem,
    headers: { ...headers, 'content-type': 'text/html; charset=utf-8', ...HTML_HEADERS },
    body: pageOf(statusCode),
  }
}

function pageOf(status: number): string {
  const [english, german] =
    status === 429 || status >= 500
      ? [
          'This did not work just now. Open the link again in a minute.',
          'Das ging gerade nicht. Öffnen Sie den Link in einer Minute noch einmal.',
        ]
      : [
          'This link is not as it was sent. Open the one in the mail again.',
          'Dieser Link ist nicht so, wie er verschickt wurde. Öffnen Sie den in der Mail noch einmal.',
        ]
  return `<!doctype html>
<html lang="en" style="color-scheme: light dark"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${status}</title>
<body style="font: 16px/1.5 system-ui, sans-serif; max-width: 30rem; margin: 12vh auto; padding: 0 2rem">
<p>${english}</p>
<p lang="de">${german}</p>
`
}
