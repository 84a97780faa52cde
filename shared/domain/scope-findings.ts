import { type Finding, finding } from './finding.ts'
import type { License } from './license.ts'
import { nowhere, type Place } from './place.ts'
import { placeFindings } from './place-findings.ts'
import type { Question } from './question.ts'
import { outsideSite } from './site.ts'

/** Does the license cover what it is asked for: this file, product, machine, country? */
export function scopeFindings(license: License, question: Question): Finding[] {
  const found: Finding[] = []
  if (question.fileRevision !== undefined && question.fileRevision < license.revision) {
    found.push(
      finding(
        'FILE_OUTDATED',
        'file',
        `The file has revision ${question.fileRevision}, the license ${license.revision}.`,
        'Download the newest license file.',
      ),
    )
  }
  if (
    question.product !== undefined &&
    question.product !== license.productCode &&
    question.product !== license.productId
  ) {
    found.push(
      finding(
        'PRODUCT_MISMATCH',
        'product',
        `The license is for ${license.productCode}, not ${question.product}.`,
        `Use a license for ${question.product}.`,
      ),
    )
  }
  found.push(
    ...fingerprintFindings(license, question.fingerprint),
    ...countryFindings(license, question.place),
    ...siteFindings(license, question),
  )
  return found
}

function fingerprintFindings({ fingerprints }: License, fingerprint: string | undefined): Finding[] {
  if (fingerprints === undefined) return []
  if (fingerprint === undefined) {
    return [
      finding(
        'FINGERPRINT_REQUIRED',
        'fingerprint',
        'The license is bound to machines and none was named.',
        'Send the fingerprint of this machine.',
      ),
    ]
  }
  if (fingerprints.includes(fingerprint)) return []
  return [
    finding(
      'FINGERPRINT_MISMATCH',
      'fingerprint',
      'The license is bound to other machines.',
      'Use it on a machine it is bound to, or ask the vendor to bind it to this one.',
    ),
  ]
}

function countryFindings({ rules: { countries } }: License, place: Place | undefined): Finding[] {
  return countries === undefined ? [] : placeFindings(countries, place ?? nowhere(countries))
}

function siteFindings({ rules }: License, question: Question): Finding[] {
  if (rules.site === undefined) return []
  switch (outsideSite(rules.site, question)) {
    case 'unknown':
      return [
        finding(
          'SITE_MEMBER_REQUIRED',
          'site',
          'The license covers a site, and nothing says who asks.',
          'Send the e-mail address or the organization of the person.',
        ),
      ]
    case 'outside':
      return [
        finding(
          'OUTSIDE_SITE',
          'site',
          'The person who asks is outside the licensed site.',
          'Use it as a member of the site, or have the site extended.',
        ),
      ]
    case undefined:
      return []
  }
}
