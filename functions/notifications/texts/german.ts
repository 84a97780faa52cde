import type { AboutOf } from '../../../shared/domain/notice.ts'
import type { Format, Passage, Words } from './words.ts'

const DAYS = { one: 'Tag', other: 'Tagen' }
type Deadline = AboutOf<'expiry-reminder' | 'trial-reminder' | 'maintenance-reminder'>
/** With its article, and as it stands in a subject. */
type What = readonly [full: string, short: string]

const soon = (days: number, format: Format) =>
  days <= 0 ? 'heute' : days === 1 ? 'morgen' : `in ${format.count(days, DAYS)}`

function ends([full, short]: What, about: Deadline, format: Format): Passage {
  const { endsAt, graceEndsAt, phase, renews, product } = about
  const facts: [string, string][] = [
    ['Produkt', product],
    ['Kunde', about.customer],
    ['Lizenz', about.licenseId],
    [phase === 'ahead' ? 'Endet' : 'Geendet', format.moment(endsAt)],
    ...(graceEndsAt ? [['Nutzbar bis', format.moment(graceEndsAt)] satisfies [string, string]] : []),
  ]
  if (phase === 'ahead') {
    const when = soon(format.daysUntil(endsAt), format)
    return {
      subject: `${product}: ${short} endet ${when}`,
      lines: [
        `${full} für ${product} endet ${when}, am ${format.day(endsAt)}.`,
        renews ? 'Wenn Sie rechtzeitig verlängern, ändert sich für niemanden etwas.' : '',
      ].filter(Boolean),
      facts,
    }
  }
  if (phase === 'grace' && graceEndsAt)
    return {
      subject: `${product}: ${short} abgelaufen, Nachfrist bis ${format.day(graceEndsAt)}`,
      lines: [
        `${full} für ${product} endete am ${format.day(endsAt)}. Bis ${format.day(graceEndsAt)} bleibt das Produkt nutzbar, danach nicht mehr.`,
        renews ? 'Verlängern Sie jetzt, damit es keine Unterbrechung gibt.' : '',
      ].filter(Boolean),
      facts,
    }
  return {
    subject: `${product}: ${short} abgelaufen`,
    lines: [
      phase === 'over'
        ? `Die Nachfrist für ${product} ist vorbei. Das Produkt ist nicht mehr nutzbar.`
        : `${full} für ${product} endete am ${format.day(endsAt)}.`,
    ],
    facts,
  }
}

const share = (used: number, capacity: number | undefined, format: Format) =>
  capacity === undefined ? format.number(used) : `${format.number(used)} von ${format.number(capacity)}`

const CHANGES = {
  suspended: ['ausgesetzt', 'Bis zur Freigabe ist sie nicht nutzbar.'],
  reinstated: ['wieder freigegeben', 'Sie ist wieder nutzbar.'],
  revoked: ['widerrufen', 'Sie ist endgültig nicht mehr nutzbar.'],
  renewed: ['verlängert', 'Sie müssen nichts weiter tun.'],
  transferred: ['übertragen', 'Sie gehört nun einem anderen Mandanten.'],
} as const

export const german: Words = {
  passages: {
    'expiry-reminder': (about, format) => ends(['Die Lizenz', 'Lizenz'], about, format),
    'trial-reminder': (about, format) => ends(['Die Testphase', 'Testphase'], about, format),
    'maintenance-reminder': (about, format) => {
      const passage = ends(['Die Wartung', 'Wartung'], about, format)
      return {
        ...passage,
        lines: [
          passage.lines[0] ?? '',
          'Später erscheinende Versionen sind nicht abgedeckt; vorhandene bleiben nutzbar.',
        ],
      }
    },
    'license-status': ({ product, change, licenseId, endsAt, reason, at }, format) => {
      const [what, then] = CHANGES[change]
      return {
        subject: `${product}: Lizenz ${what}`,
        lines: [`Die Lizenz für ${product} wurde ${what}. ${then}`],
        facts: [
          ['Lizenz', licenseId],
          ['Zeitpunkt', format.moment(at)],
          ...(endsAt && change === 'renewed' ? [['Endet', format.day(endsAt)] as const] : []),
          ...(reason ? [['Grund', reason] as const] : []),
        ],
      }
    },
    capacity: ({ product, metric, used, capacity, threshold }, format) => ({
      subject: `${product}: ${threshold} % von ${metric} belegt`,
      lines: [
        threshold >= 100
          ? `Alle ${metric} von ${product} sind belegt. Weitere werden abgelehnt, bis welche frei werden oder dazukommen.`
          : `${threshold} % der ${metric} von ${product} sind belegt.`,
      ],
      facts: [['Belegt', share(used, capacity, format)]],
    }),
    'over-allocation': ({ product, metric, used, capacity, state, cureUntil }, format) => ({
      subject:
        state === 'cured'
          ? `${product}: ${metric} wieder im Rahmen der Lizenzen`
          : `${product}: mehr ${metric} belegt als lizenziert`,
      lines: [
        state === 'cured'
          ? `Die belegten ${metric} von ${product} sind wieder durch Lizenzen gedeckt.`
          : `Von ${product} sind mehr ${metric} belegt, als die Lizenzen hergeben. Es wird nichts von selbst entzogen, aber auch nichts mehr vergeben.`,
        state === 'begun' && cureUntil
          ? `Geben Sie bis ${format.day(cureUntil)} welche frei oder ergänzen Sie eine Lizenz.`
          : state === 'overdue' && cureUntil
            ? `Die Frist dafür endete am ${format.day(cureUntil)}.`
            : '',
      ].filter(Boolean),
      facts: [['Belegt', share(used, capacity, format)]],
    }),
    integrity: ({ what, subject, detail, at }, format) => ({
      subject: `Integrität: ${subject} entspricht nicht dem, was signiert wurde`,
      lines: [
        'Etwas Gespeichertes entspricht nicht dem, was signiert wurde. Eine veränderte Lizenz ist ungültig; repariert wurde nichts von selbst.',
      ],
      facts: [
        ['Was', what],
        ['Wo', subject],
        ['Bemerkt', format.moment(at)],
        ...(detail ? [['Einzelheiten', detail] as const] : []),
      ],
    }),
    'job-failed': ({ job, detail, at }, format) => ({
      subject: `Der Auftrag ${job} hat etwas aufgegeben`,
      lines: [
        `Etwas, das der Auftrag ${job} zu tun hatte, ist zu oft fehlgeschlagen und wurde beiseitegelegt. Es wird erst wieder versucht, wenn jemand das veranlasst: Es steht in GET /v1/jobs/dead.`,
      ],
      facts: [['Zeitpunkt', format.moment(at)], ...(detail ? [['Einzelheiten', detail] as const] : [])],
    }),
    'webhook-disabled': ({ endpoint, reason, at }, format) => ({
      subject: 'Ein Webhook-Endpunkt wurde abgeschaltet',
      lines: [
        'Ein Webhook-Endpunkt ist immer wieder ausgefallen oder will keine Nachrichten mehr; er wurde abgeschaltet. Schalten Sie ihn nach der Behebung wieder ein: Wartendes wird dann zugestellt, Aufgegebenes kann erneut zugestellt werden.',
      ],
      facts: [
        ['Endpunkt', endpoint],
        ['Zeitpunkt', format.moment(at)],
        ...(reason ? [['Grund', reason] as const] : []),
      ],
    }),
    'seat-request': ({ person, product, module, reason, at }, format) => ({
      subject: `${person} bittet um einen Platz für ${product}`,
      lines: [`${person} bittet um einen Platz für ${product} (${module}).`],
      facts: [['Zeitpunkt', format.moment(at)], ...(reason ? [['Wofür', reason] as const] : [])],
    }),
    'seat-reclaim': ({ person, product, at }, format) => ({
      subject: `Ihr Platz für ${product} wird ${soon(format.daysUntil(at), format)} zurückgenommen`,
      lines: [
        `${person} hat einen Platz für ${product}, der anscheinend nicht gebraucht wird. Er wird am ${format.day(at)} weitergegeben.`,
        'Wird er noch gebraucht, genügt es, das Produkt zu benutzen – oder dieser Link.',
      ],
      facts: [['Zurückgenommen', format.moment(at)]],
      action: 'Platz behalten',
    }),
    'mail-undeliverable': ({ address, why, detail, at }, format) => ({
      subject: `E-Mail erreicht ${address} nicht`,
      lines: [
        why === 'bounce'
          ? `E-Mail an ${address} kam zurück. Dorthin wird nichts mehr gesendet.`
          : `Der Empfänger von ${address} hat unsere E-Mail als unerwünscht gemeldet. Dorthin wird nichts mehr gesendet.`,
        'Tragen Sie einen anderen Kontakt ein, oder heben Sie die Sperre auf, sobald die Adresse funktioniert.',
      ],
      facts: [['Zeitpunkt', format.moment(at)], ...(detail ? [['Einzelheiten', detail] as const] : [])],
    }),
  },
  kinds: {
    'expiry-reminder': 'das Ende von Lizenzen',
    'trial-reminder': 'das Ende von Testphasen',
    'maintenance-reminder': 'das Ende von Wartung',
    'license-status': 'Änderungen von Lizenzen',
    capacity: 'Auslastung',
    'over-allocation': 'Überbelegung',
    integrity: 'Integrität',
    'job-failed': 'fehlgeschlagene Aufträge',
    'webhook-disabled': 'abgeschaltete Webhooks',
    'seat-request': 'Bitten um Plätze',
    'seat-reclaim': 'zurückgenommene Plätze',
    'mail-undeliverable': 'unzustellbare E-Mail',
  },
  digestSubject: (count) => `${count} Mitteilungen zu Ihren Lizenzen`,
  greeting: (name) => `Guten Tag ${name},`,
  digestLead: (count) => `es gibt ${count} Neuigkeiten.`,
  repeated:
    'Vielleicht haben Sie diese E-Mail schon: Wir konnten nicht sehen, ob sie ankam, und senden sie lieber zweimal.',
  because: (owner) => `Sie erhalten dies als Kontakt von ${owner}.`,
  zone: (timeZone) => `Datumsangaben gelten in der Zeitzone ${timeZone}.`,
  needed:
    'Ohne solche Mitteilungen könnten Lizenzen oder Plätze unerwartet ausfallen; abbestellen lassen sie sich nicht.',
  unsubscribe: 'Mitteilungen dieser Art abbestellen',
  linkHint: 'Wenn die Schaltfläche nicht funktioniert, kopieren Sie diese Adresse:',
  page: {
    title: 'Mitteilungen per E-Mail',
    ask: (email, kinds) => `Keine Mitteilungen über ${kinds.join(', ')} mehr an ${email} senden?`,
    confirm: 'Abbestellen',
    all: 'Alles abbestellen, was abbestellt werden kann',
    done: (email, kinds) => `${email} erhält keine Mitteilungen über ${kinds.join(', ')} mehr.`,
    needed: 'Mitteilungen, ohne die Lizenzen unerwartet ausfallen könnten, werden weiter gesendet.',
    again: 'Wieder bestellen',
    resumed: (email) => `${email} erhält diese Mitteilungen wieder.`,
  },
}
