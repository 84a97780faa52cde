import { styleText } from 'node:util'
import type { Narrator } from './tale.ts'

const WIDTH = 14
const COLOR = { good: 'green', warning: 'yellow', bad: 'red' } as const

/** Prints the story; in color where the output is a terminal, which styleText looks after. */
export function consoleNarrator(): Narrator {
  let chapters = 0
  return {
    chapter(title) {
      chapters += 1
      console.log(`\n${styleText('bold', `${chapters}. ${title}`)}`)
    },
    say: (what, text) => console.log(`   ${styleText('dim', what.padEnd(WIDTH))} ${text}`),
    outcome: (code, text, tone) =>
      console.log(`   ${styleText([COLOR[tone], 'bold'], code.padEnd(WIDTH))} ${text}`),
    cards: (cards) => console.log(cardLines(cards).join('\n')),
  }
}

/** Cards side by side: the title in the frame, the figure below it. */
function cardLines(cards: Readonly<Record<string, string>>): string[] {
  const all = Object.entries(cards).map(([title, figure]) => ({
    title,
    figure,
    width: Math.max(title.length, figure.length),
  }))
  const row = (card: (one: (typeof all)[number]) => string) => `   ${all.map(card).join(' ')}`
  return [
    row(({ title, width }) => `┌ ${title} ${'─'.repeat(width - title.length)}┐`),
    row(({ figure, width }) => `│ ${styleText('bold', figure.padEnd(width))} │`),
    row(({ width }) => `└${'─'.repeat(width + 2)}┘`),
  ]
}

/** Says what is being waited for, and afterwards for how long. */
export async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  process.stdout.write(`${what} … `)
  const start = performance.now()
  const result = await work()
  console.log(`${((performance.now() - start) / 1000).toFixed(1)} s`)
  return result
}
