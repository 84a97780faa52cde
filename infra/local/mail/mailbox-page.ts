import type { AddressObject, ParsedMail } from 'mailparser'
import { escapeHtml } from '../../../shared/platform/http/html-page.ts'
import type { Mailbox } from './mailbox.ts'

/** What the mailbox shows for a path. */
type Page = { readonly type: string; readonly body: string | Buffer }

const STYLE = `
:root { color-scheme: light dark; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; background: #f4f5f7; color: #1c2430; }
header { padding: 1rem 1.5rem; background: #1c2430; color: #fff; } header a { color: inherit; text-decoration: none; }
main { max-width: 62rem; margin: 1.5rem auto; padding: 0 1.5rem; }
table { width: 100%; border-collapse: collapse; background: #fff; border-radius: 8px; overflow: hidden; table-layout: fixed; }
td, th { padding: .55rem .9rem; text-align: left; border-bottom: 1px solid #e7eaee; vertical-align: top; overflow-wrap: anywhere; }
th { color: #5b6675; font-weight: 600; } .when { width: 11.5rem; } .who { width: 19rem; } .name { width: 9rem; color: #5b6675; }
a { color: #1f5fbf; } iframe { width: 100%; height: 46rem; border: 0; border-radius: 8px; background: #fff; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #fff; padding: 1rem; border-radius: 8px; }
h1 { font-size: 1.1rem; margin: 0; } h2 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
@media (prefers-color-scheme: dark) { body { background: #14181f; color: #e8ebf0; } table, pre { background: #1e242e; } td, th { border-color: #323a47; } th, .name { color: #a3adbb; } a { color: #8ab4f8; } }
@media (max-width: 44rem) {
  main { padding: 0 .75rem; } td, th { padding: .4rem .6rem; } .name { width: 7rem; }
  .list tr { display: block; padding: .3rem 0; border-bottom: 1px solid #8886; } .list tr:has(th) { display: none; }
  .list td { display: block; width: auto; padding: .1rem .6rem; border: 0; }
}`

/** The most that the list shows. */
const LISTED = 200
/** Headers that people want to see of a mail. */
const SHOWN = ['From', 'To', 'Subject', 'Date', 'List-Unsubscribe', 'X-Latchkey-Repeated']

/** The mailbox to look at: `/` lists it, `/mails/<name>` shows a mail, `/mails/<name>/html` its HTML as it came. */
export async function mailboxPage(mailbox: Mailbox, path: string): Promise<Page | undefined> {
  if (path === '/') return html('Mailbox', await list(mailbox))
  const [, name = '', part] = /^\/mails\/([\w.-]+?)(?:\/(html|source))?$/.exec(path) ?? []
  if (part === 'source') {
    const body = mailbox.read(name)
    return body && { type: 'text/plain; charset=utf-8', body }
  }
  const mail = await mailbox.parse(name)
  if (mail === undefined) return undefined
  if (part === 'html') return { type: 'text/html; charset=utf-8', body: mail.html || '' }
  return html(mail.subject ?? name, show(name, mail))
}

async function list(mailbox: Mailbox): Promise<string> {
  const names = mailbox.names()
  const rows = await Promise.all(
    names.slice(0, LISTED).map(async (name) => {
      const mail = await mailbox.parse(name)
      const cells = [
        `<td class="when">${escapeHtml(whenOf(name))}</td>`,
        `<td class="who">${escapeHtml(mail ? toOf(mail) : '')}</td>`,
        `<td><a href="/mails/${encodeURIComponent(name)}">${escapeHtml(mail?.subject ?? '(no subject)')}</a></td>`,
      ]
      return `<tr>${cells.join('')}</tr>`
    }),
  )
  if (rows.length === 0) return '<p>No mail has been sent yet.</p>'
  const more = names.length > LISTED ? `<p>… and ${names.length - LISTED} older ones in the folder.</p>` : ''
  return `<table class="list"><tr><th class="when">When (UTC)</th><th class="who">To</th><th>Subject</th></tr>${rows.join('')}</table>${more}`
}

function show(name: string, mail: ParsedMail): string {
  const headers = mail.headerLines
    .map(({ line }) => line.replaceAll(/\r?\n[ \t]+/g, ' '))
    .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const)
  const rows = SHOWN.flatMap((wanted) => {
    const found = headers.find(([own]) => own.toLowerCase() === wanted.toLowerCase())
    const value = wanted === 'Subject' ? mail.subject : wanted === 'To' ? toOf(mail) : found?.[1]
    return found && value
      ? [`<tr><td class="name">${escapeHtml(wanted)}</td><td>${escapeHtml(value)}</td></tr>`]
      : []
  })
  // Sandboxed: what is in a mail runs nothing here; its links open beside the mailbox.
  const frame = `<iframe title="HTML" sandbox="allow-popups allow-popups-to-escape-sandbox" src="/mails/${encodeURIComponent(name)}/html"></iframe>`
  return `<table>${rows.join('')}</table>
<p><a href="/mails/${encodeURIComponent(name)}/source">Source</a></p>
${mail.html ? frame : ''}
<h2>Text</h2><pre>${escapeHtml(mail.text ?? '')}</pre>`
}

const html = (title: string, content: string): Page => ({
  type: 'text/html; charset=utf-8',
  body: `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body><header><h1><a href="/">Latchkey mailbox</a></h1></header><main>${content}</main></body></html>`,
})

/** Names begin with the time, without the colons that file systems do not like. */
const whenOf = (name: string) => name.replace(/^(\d{4}-\d\d-\d\d)T(\d\d)(\d\d)(\d\d).*$/, '$1 $2:$3:$4')

function toOf({ to }: ParsedMail): string {
  const all: AddressObject[] = to === undefined ? [] : Array.isArray(to) ? to : [to]
  const people = all.flatMap(({ value }) => value)
  return people.map(({ name, address }) => (name ? `${name} <${address}>` : (address ?? ''))).join(', ')
}
