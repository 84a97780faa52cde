import type { Language } from '../../shared/domain/notice.ts'
import { isOptional, type NoticeAbout } from '../../shared/domain/notice.ts'
import { escapeHtml } from '../../shared/platform/http/html-page.ts'
import type { Mail } from '../../shared/platform/mail/mail-sender.ts'
import type { Instant, TimeZone } from '../../shared/platform/time.ts'
import type { Notice } from '../../shared/store/notice.ts'
import { formatOf, passageOf, wordsOf } from './format.ts'
import type { Passage, Words } from './texts/words.ts'

/** Where links in a mail lead. */
export type Links = {
  /** To what can be done about a notice, where there is anything. */
  readonly act: (about: NoticeAbout) => string | undefined
  /** Where the recipient stops getting what this mail is about. */
  readonly unsubscribe: string
}

type MailParts = {
  readonly id: string
  /** At least one, all for the same recipient, all of them optional or none. */
  readonly notices: readonly [Notice, ...Notice[]]
  readonly language: Language
  readonly timeZone: TimeZone
  /** By contact of whom the recipient is. */
  readonly owner: string
  readonly links: Links
  readonly now: Instant
  /** How often its sending was begun. */
  readonly times: number
}

type Told = { readonly passage: Passage; readonly url: string | undefined }

/** The mail that tells one recipient its notices. */
export function composeMail(parts: MailParts): Mail {
  const { id, notices, language, timeZone, links, now, times } = parts
  const [first] = notices
  const words = wordsOf(language)
  const format = formatOf(language, timeZone, now)
  const told = notices.map(({ about }) => ({
    passage: passageOf(about, words, format),
    url: links.act(about),
  }))
  const optional = isOptional(first.about.kind)
  const subject = told.length === 1 ? (told[0]?.passage.subject ?? '') : words.digestSubject(told.length)
  const { email, name } = first.recipient
  const lead = [words.greeting(name), ...(told.length > 1 ? [words.digestLead(told.length)] : [])]
  if (times > 1) lead.unshift(words.repeated)
  const foot = [words.because(parts.owner || name), words.zone(timeZone), ...(optional ? [] : [words.needed])]
  const end = { foot, ...(optional && { unsubscribe: { label: words.unsubscribe, url: links.unsubscribe } }) }
  return {
    id,
    to: { name, email },
    subject,
    text: textOf(lead, told, end),
    html: htmlOf(subject, language, lead, told, end, words),
    headers: {
      // Out-of-office replies are not sent to it (RFC 3834).
      'Auto-Submitted': 'auto-generated',
      'Content-Language': language,
      'X-Latchkey-Mail': id,
      ...(times > 1 && { 'X-Latchkey-Repeated': String(times) }),
      ...(optional && {
        'List-Unsubscribe': `<${links.unsubscribe}>`,
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      }),
    },
    tags: { owner: first.tenantId ?? 'VENDOR', mail: id },
  }
}

type End = { readonly foot: readonly string[]; readonly unsubscribe?: { label: string; url: string } }

function textOf(lead: readonly string[], told: readonly Told[], { foot, unsubscribe }: End): string {
  const many = told.length > 1
  const parts = told.map(({ passage: { subject, lines, facts, action }, url }) =>
    [
      ...(many ? [subject, '-'.repeat(Math.min(subject.length, 72))] : []),
      ...lines,
      '',
      ...facts.map(([label, value]) => `${label}: ${value}`),
      ...(action && url ? ['', `${action}: ${url}`] : []),
    ].join('\n'),
  )
  const ending = [...foot, ...(unsubscribe ? [`${unsubscribe.label}: ${unsubscribe.url}`] : [])]
  return `${[lead.join('\n\n'), ...parts, `-- \n${ending.join('\n')}`].join('\n\n')}\n`
}

const INK = '#1c2430'
const FAINT = '#5b6675'
const BLUE = '#1f5fbf'

/** Tables and inline styles, which every mail client draws alike. */
function htmlOf(
  subject: string,
  language: string,
  lead: readonly string[],
  told: readonly Told[],
  { foot, unsubscribe }: End,
  words: Words,
): string {
  const many = told.length > 1
  const p = (text: string, style = '') =>
    `<p style="margin:0 0 14px;${style}">${escapeHtml(text).replaceAll('\n', '<br>')}</p>`
  const blocks = told.map(({ passage, url }) => {
    const rows = passage.facts.map(
      ([label, value]) =>
        `<tr><td style="padding:4px 18px 4px 0;color:${FAINT};vertical-align:top;white-space:nowrap">${escapeHtml(label)}</td><td style="padding:4px 0;vertical-align:top;word-break:break-word">${escapeHtml(value)}</td></tr>`,
    )
    const heading = many
      ? `<h2 style="margin:22px 0 10px;padding-top:18px;border-top:1px solid #dfe3e8;font-size:17px;line-height:1.35">${escapeHtml(passage.subject)}</h2>`
      : ''
    const button =
      passage.action && url
        ? `<p style="margin:20px 0 10px"><a href="${escapeHtml(url)}" style="display:inline-block;padding:11px 22px;background:${BLUE};color:#ffffff;text-decoration:none;border-radius:6px">${escapeHtml(passage.action)}</a></p>${p(words.linkHint, `color:${FAINT};font-size:13px;margin-bottom:2px`)}<p style="margin:0 0 14px;font-size:13px;word-break:break-all"><a href="${escapeHtml(url)}" style="color:${BLUE}">${escapeHtml(url)}</a></p>`
        : ''
    return `${heading}${passage.lines.map((line) => p(line)).join('')}<table role="presentation" cellpadding="0" cellspacing="0" style="margin:0 0 14px;font-size:14px;line-height:1.45">${rows.join('')}</table>${button}`
  })
  const ending = foot.map((line) => p(line, 'margin-bottom:6px')).join('')
  const link = unsubscribe
    ? `<p style="margin:10px 0 0"><a href="${escapeHtml(unsubscribe.url)}" style="color:${FAINT}">${escapeHtml(unsubscribe.label)}</a></p>`
    : ''
  return `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(subject)}</title></head>
<body style="margin:0;padding:0;background:#f4f5f7">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#f4f5f7"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:600px;background:#ffffff;border-radius:10px"><tr><td style="padding:28px 32px;font-family:Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5;color:${INK};text-align:left">
${many ? '' : `<h1 style="margin:0 0 18px;font-size:20px;line-height:1.3">${escapeHtml(subject)}</h1>`}
${lead.map((line) => p(line)).join('\n')}
${blocks.join('\n')}
</td></tr></table>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:600px"><tr><td style="padding:16px 32px;font-family:Helvetica,Arial,sans-serif;font-size:13px;line-height:1.45;color:${FAINT};text-align:left">
${ending}${link}
</td></tr></table>
</td></tr></table>
</body>
</html>
`
}
