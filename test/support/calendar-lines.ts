/** The days of a calendar feed: of which license, what, when, and whether it is called off. */
export function calendarLines(feed: string): string[] {
  const [, ...events] = feed.replaceAll(/\r\n[ \t]/g, '').split('BEGIN:VEVENT')
  return events.map((event) => {
    const [, id = '', what = ''] = /UID:(lic_\w+)-(\w+)@/.exec(event) ?? []
    const [, day = ''] = /DTSTART;VALUE=DATE:(\d+)/.exec(event) ?? []
    return `${id} ${what} ${day} ${/STATUS:(\w+)/.exec(event)?.[1]}`
  })
}
