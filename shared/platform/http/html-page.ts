const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text for HTML, in content and in quoted attributes; characters that do not print are left out. */
export const escapeHtml = (text: string): string =>
  text
    .replaceAll(/[^\P{Cc}\n\t]/gu, '')
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character)

/** A form of one button, which does what a link alone must not do: mail scanners follow links. */
type Button = { readonly label: string; readonly action: string; readonly quiet?: true }

/** What a page says, all of it plain text. */
export type PageText = {
  readonly language: string
  readonly title: string
  readonly lines: readonly string[]
  readonly buttons?: readonly Button[]
}

const STYLE = `
:root { color-scheme: light dark; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; background: #f4f5f7; color: #1c2430; }
main { max-width: 30rem; margin: 12vh auto 0; padding: 2rem; background: #fff; border-radius: 10px; box-shadow: 0 1px 4px #0002; }
h1 { font-size: 1.25rem; margin: 0 0 1rem; }
p { overflow-wrap: anywhere; }
form { margin: 1rem 0 0; }
button { font: inherit; padding: .6rem 1.2rem; border: 0; border-radius: 6px; background: #1f5fbf; color: #fff; cursor: pointer; }
button.quiet { background: none; color: #1f5fbf; padding: .2rem 0; text-decoration: underline; }
@media (prefers-color-scheme: dark) {
  body { background: #14181f; color: #e8ebf0; } main { background: #1e242e; } button.quiet { color: #8ab4f8; }
}
@media (max-width: 34rem) { main { margin: 0; min-height: 100vh; border-radius: 0; box-shadow: none; box-sizing: border-box; } }`

/** A small page that works without scripts: some lines, and buttons. */
export function htmlPage({ language, title, lines, buttons = [] }: PageText): string {
  const forms = buttons.map(
    ({ label, action, quiet }) =>
      `<form method="post" action="${escapeHtml(action)}"><button${quiet ? ' class="quiet"' : ''}>${escapeHtml(label)}</button></form>`,
  )
  return `<!doctype html>
<html lang="${escapeHtml(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${lines.map((line) => `<p>${escapeHtml(line)}</p>`).join('\n')}
${forms.join('\n')}
</main>
</body>
</html>
`
}
