import { spawn } from 'node:child_process'
import { errorCode, LocalStackError } from './errors.ts'

/** What DynamoDB Local asks for (its documentation, "Deploying DynamoDB locally"). */
const OLDEST_JAVA = 11
const HOW = `Install a Java runtime ${OLDEST_JAVA} or newer, for example from adoptium.net, and put it on the PATH.`

/** @throws LocalStackError when there is no Java on the PATH, or one that is too old */
export async function requireJava(): Promise<void> {
  const problem = javaProblem(await javaVersion())
  if (problem !== undefined) throw new LocalStackError(problem)
}

/** What keeps this Java from being used, given what `java -version` printed; undefined when there is no Java. */
export function javaProblem(printed: string | undefined): string | undefined {
  // A Mac without Java has a `java` that only says so.
  if (printed === undefined || printed.includes('Unable to locate a Java Runtime')) {
    return `DynamoDB Local needs Java, and there is none on the PATH. ${HOW}`
  }
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(printed) ?? []
  // Up to Java 8 the version was written 1.8.
  const major = Number(first === '1' ? second : first)
  if (Number.isNaN(major)) return `The java on the PATH does not tell its version. ${HOW}`
  return major < OLDEST_JAVA
    ? `The Java on the PATH is version ${major}, too old for DynamoDB Local. ${HOW}`
    : undefined
}

function javaVersion(): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const java = spawn('java', ['-version'], { stdio: ['ignore', 'ignore', 'pipe'] })
    let printed = ''
    java.stderr.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
    })
    java.on('error', (error) => (errorCode(error) === 'ENOENT' ? resolve(undefined) : reject(error)))
    java.on('close', () => resolve(printed))
  })
}
