/** A local chain over HTTP, and over WebSocket at the port plus one, where `Connection` looks for it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { LocalRpc } from './rpc.ts'
import { Subscriptions } from './subscriptions.ts'

/** Bytes of a request. */
const MOST_BODY = 100_000
/** Clients at once. */
const MOST_SOCKETS = 2500
/** Bytes that a slow client may have outstanding before it is cut off. */
const MOST_OUTSTANDING = 8 * 1024 * 1024

export interface ServerSetting {
  /** 0: any that is free, with the next one. */
  readonly port?: number
  readonly host?: string
}

export interface RunningServer {
  /** What `Connection` takes. */
  readonly url: string
  readonly port: number
  /** Answers what was asked, then closes. The chain goes on. */
  readonly stop: () => Promise<void>
}

/** Pages of this machine may ask; a page from elsewhere could otherwise play with the chain of whoever looks at it. */
const isLocal = (origin: string): boolean => /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(origin)

const bodyOf = (request: IncomingMessage): Promise<string | undefined> =>
  new Promise((done, failed) => {
    const parts: Buffer[] = []
    let bytes = 0
    request.on('data', (part: Buffer) => {
      bytes += part.length
      if (bytes <= MOST_BODY) parts.push(part)
    })
    request.on('end', () => done(bytes > MOST_BODY ? undefined : Buffer.concat(parts).toString('utf8')))
    request.on('error', failed)
  })

const answerTo = async (rpc: LocalRpc, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { origin } = request.headers
  const cors =
    origin !== undefined && isLocal(origin)
      ? { 'access-control-allow-origin': origin, 'access-control-allow-headers': '*', vary: 'Origin' }
      : {}
  const end = (status: number, text = '', type = 'text/plain'): void => {
    response.writeHead(status, { ...cors, 'content-type': type }).end(text)
  }
  if (origin !== undefined && !isLocal(origin)) return end(403, 'Only pages of this machine may ask this chain\n')
  if (request.method === 'OPTIONS') return end(204)
  if (request.method === 'GET' && request.url === '/health') {
    return rpc.chain.isFailed ? end(503, 'behind') : end(200, 'ok')
  }
  if (request.method !== 'POST') return end(405, 'Used HTTP Method is not allowed. POST or OPTIONS is required\n')
  const body = await bodyOf(request)
  if (body === undefined) return end(413, 'The request is too large\n')
  const { status, text } = await rpc.reply(body)
  return text === undefined ? end(status) : end(status, text, 'application/json; charset=utf-8')
}

const serve = (rpc: LocalRpc, socket: WebSocket): void => {
  const send = (text: string): void => {
    if (socket.bufferedAmount > MOST_OUTSTANDING) socket.terminate()
    else if (socket.readyState === socket.OPEN) socket.send(text)
  }
  const subscriptions = new Subscriptions(rpc, send)
  socket.on('message', (data, isBinary) => {
    if (isBinary) return socket.close(1003)
    void subscriptions.receive(String(data))
  })
  socket.on('close', () => subscriptions.close())
  socket.on('error', () => socket.terminate())
}

const listen = (server: Server, port: number, host: string): Promise<number> =>
  new Promise((done, failed) => {
    server.once('error', failed)
    server.listen(port, host, () => {
      server.off('error', failed)
      done((server.address() as AddressInfo).port)
    })
  })
const close = (server: Server): Promise<void> =>
  new Promise(done => {
    server.close(() => done())
    server.closeIdleConnections()
  })

/** How often two free ports in a row are looked for. */
const TRIES = 20

export const startServer = async (
  rpc: LocalRpc,
  { port = 0, host = '127.0.0.1' }: ServerSetting = {},
): Promise<RunningServer> => {
  for (let tried = 1; ; tried++) {
    const http = createServer((request, response) => {
      answerTo(rpc, request, response).catch(() => response.destroy())
    })
    http.requestTimeout = 30_000
    const upgrades = createServer((_, response) => response.writeHead(426).end('This port speaks WebSocket only\n'))
    const own = await listen(http, port, host)
    try {
      await listen(upgrades, own + 1, host)
    } catch (error) {
      await close(http)
      if (port !== 0 || tried === TRIES) throw error
      continue
    }
    const verifyClient = ({ origin }: { origin?: string }): boolean => origin === undefined || isLocal(origin)
    const sockets = new WebSocketServer({ server: upgrades, maxPayload: MOST_BODY, verifyClient })
    sockets.on('connection', socket => {
      if (sockets.clients.size > MOST_SOCKETS) socket.close(1013)
      else serve(rpc, socket)
    })
    const stop = async (): Promise<void> => {
      for (const socket of sockets.clients) socket.close(1001)
      const cut = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate()
        http.closeAllConnections()
      }, 2000)
      await Promise.all([new Promise<void>(done => sockets.close(() => done())), close(http), close(upgrades)])
      clearTimeout(cut)
    }
    return { url: `http://${host}:${own}`, port: own, stop }
  }
}
