// Runs Java as long as the process that started this one lives: standard input is a pipe from it, and the system
// closes that when it ends, however it ends. Without this, DynamoDB Local would outlive a crash and hold its data.
import { spawn } from 'node:child_process'

/** Java ends within this on its own when asked to, or is ended. */
const PATIENCE_MILLISECONDS = 5_000

const java = spawn('java', process.argv.slice(2), { stdio: ['ignore', 'ignore', 'inherit'] })

process.stdin.resume()
process.stdin.on('close', () => {
  java.kill()
  setTimeout(() => java.kill('SIGKILL'), PATIENCE_MILLISECONDS).unref()
})
java.on('exit', (code) => process.exit(code ?? 0))
java.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
