/** A client of server-sent events over plain HTTP, light enough that one process can be thousands. */
import { type Agent, type ClientRequest, get, type IncomingMessage } from 'node:http'

export interface Message {
  /** The SSE `id`. */
  readonly id: string | undefined
  /** `message` unless it has a name. */
  readonly event: string
  readonly data: string
}

export interface Listening {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** Resolves when the server ends the stream or it breaks off. */
  readonly ended: Promise<void>
  readonly response: IncomingMessage
  stop(): void
}

const field = (block: string, name: string): string | undefined => {
  const found = new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)
  return found?.[1]
}

/** What stands between two blank lines; undefined for a comment or `retry`. */
export const messageIn = (block: string): Message | undefined => {
  const data = field(block, 'data')
  return data === undefined ? undefined : { id: field(block, 'id'), event: field(block, 'event') ?? 'message', data }
}

/** Topic, number and kind of a message, without reading the rest of it. */
export const headOf = (data: string): { topic: string; epoch: string; number: number; snapshot: boolean } => {
  const [, topic, epoch, number, snapshot] =
    /^\{"topic":"([^"]+)","id":"(\w+)\.(\d+)","snapshot":(true|false)/.exec(data) ?? []
  if (topic === undefined) throw new Error(`No message of a stream: ${data.slice(0, 200)}`)
  return { topic, epoch: epoch!, number: Number(number), snapshot: snapshot === 'true' }
}

/** Listens to a stream; `onMessage` gets each message as it comes. Resolves when the head of the answer is there. */
export const listen = (
  url: string,
  onMessage: (message: Message) => void,
  { headers = {}, agent = false }: { readonly headers?: Record<string, string>; readonly agent?: Agent | false } = {},
): Promise<Listening> =>
  new Promise((done, fail) => {
    const request: ClientRequest = get(
      url,
      { headers: { accept: 'text/event-stream', ...headers }, agent },
      response => {
        let rest = ''
        response.setEncoding('utf8')
        response.on('data', (text: string) => {
          const blocks = (rest + text).split('\n\n')
          rest = blocks.pop()!
          for (const block of blocks) {
            const message = messageIn(block)
            if (message !== undefined) onMessage(message)
          }
        })
        const ended = new Promise<void>(end => {
          response.once('close', end)
          response.once('error', () => end())
        })
        done({
          status: response.statusCode!,
          headers: response.headers,
          ended,
          response,
          stop: () => request.destroy(),
        })
      },
    )
    request.once('error', fail)
  })
