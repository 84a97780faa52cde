import { once } from 'node:events'
import type { Server } from 'node:http'
import { createServer, type Server as TcpServer } from 'node:net'
import { errorCode, LocalStackError } from './errors.ts'

/** The local stack serves this machine only. */
export const LOOPBACK = '127.0.0.1'

/**
 * Starts to listen on a port of the loopback address, 0 for any free one, and answers which it is.
 *
 * @throws LocalStackError when something else listens there
 */
export async function listen(server: Server | TcpServer, port: number): Promise<number> {
  const listening = once(server, 'listening')
  server.listen(port, LOOPBACK)
  try {
    await listening
  } catch (error) {
    if (errorCode(error) === 'EADDRINUSE') {
      throw new LocalStackError(
        `Port ${port} is busy: stop what listens there, or choose another with PORT=<number>.`,
      )
    }
    if (errorCode(error) === 'EACCES') {
      throw new LocalStackError(
        `Port ${port} may not be used by you: choose one above 1023 with PORT=<number>.`,
      )
    }
    throw error
  }
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

/**
 * A port that is free now, the one that is asked for or any. Somebody else may take it before it is used, so whoever uses
 * it tries again.
 *
 * @throws LocalStackError when something listens there
 */
export async function freePort(port = 0): Promise<number> {
  const server = createServer()
  const free = await listen(server, port)
  server.close()
  await once(server, 'close')
  return free
}
