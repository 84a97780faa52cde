import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ParsedMail, simpleParser } from 'mailparser'

/** The folder that mails land in, one file each; their names sort by when they came. */
export class Mailbox {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  add(name: string, message: Buffer): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 })
    writeFileSync(join(this.folder, `${name}.eml`), message)
  }

  /** Newest first. */
  names(): string[] {
    try {
      const files = readdirSync(this.folder).filter((file) => file.endsWith('.eml'))
      return files
        .map((file) => file.slice(0, -'.eml'.length))
        .toSorted()
        .toReversed()
    } catch {
      return []
    }
  }

  /** The message as it was sent; undefined if there is none of that name. */
  read(name: string): Buffer | undefined {
    return this.names().includes(name) ? readFileSync(join(this.folder, `${name}.eml`)) : undefined
  }

  async parse(name: string): Promise<ParsedMail | undefined> {
    const message = this.read(name)
    return message && simpleParser(message, { skipTextToHtml: true })
  }
}
