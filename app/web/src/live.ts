/**
 * What the server says as it happens: one `EventSource` for all topics that somebody looks at. Every update is the whole state of its
 * topic, so the last one is all that is kept. A browser comes back by itself and says what it has seen; with other topics it begins
 * anew, and gets their states at once.
 */
import { useCallback, useEffect, useRef, useSyncExternalStore } from 'react'
import { createStore, type Store, useStore } from './store.ts'

export interface Update<T = unknown> {
  readonly topic: string
  readonly id: string
  readonly snapshot: boolean
  readonly data: T
}

export type Connection = 'connecting' | 'live' | 'lost'

/** Wanted topics change together, as a page is left and another one entered. */
const SETTLE_MILLISECONDS = 60
const AGAIN_MILLISECONDS = 3000

const topics = new Map<string, { readonly store: Store<Update | undefined>; users: number }>()
const connection = createStore<Connection>('connecting')
let source: EventSource | undefined
let open = ''
let timer: ReturnType<typeof setTimeout> | undefined

const topicOf = (name: string) => {
  const known = topics.get(name)
  if (known !== undefined) return known
  const made = { store: createStore<Update | undefined>(undefined), users: 0 }
  topics.set(name, made)
  return made
}

const later = (milliseconds: number): void => {
  clearTimeout(timer)
  timer = setTimeout(connect, milliseconds)
}

const connect = (): void => {
  const wanted = [...topics].filter(([, { users }]) => users > 0).map(([name]) => name)
  const names = wanted.sort().join(',')
  if (names === open && source !== undefined && source.readyState !== EventSource.CLOSED) return
  source?.close()
  source = undefined
  open = names
  if (names === '') return
  const stream = new EventSource(`/v1/stream?${new URLSearchParams({ topics: names })}`)
  source = stream
  stream.onopen = () => connection.set('live')
  stream.onmessage = ({ data }: MessageEvent<string>) => {
    connection.set('live')
    const update = JSON.parse(data) as Update
    topics.get(update.topic)?.store.set(update)
  }
  stream.addEventListener('end', () => {
    stream.close()
    connection.set('lost')
    later(AGAIN_MILLISECONDS)
  })
  stream.onerror = () => {
    connection.set('lost')
    // An answer that is no stream closes it for good: then we come back.
    if (stream.readyState === EventSource.CLOSED && source === stream) later(AGAIN_MILLISECONDS)
  }
}

const follow = (name: string, listener: () => void): (() => void) => {
  const topic = topicOf(name)
  const leave = topic.store.subscribe(listener)
  if (topic.users++ === 0) later(SETTLE_MILLISECONDS)
  return () => {
    leave()
    if (--topic.users === 0) later(SETTLE_MILLISECONDS)
  }
}

const nothing = (): (() => void) => () => {}

/** The last state of a topic; undefined until it is there, and while there is no topic. */
export const useTopic = <T>(topic: string | undefined): T | undefined => {
  const subscribe = useCallback(
    (listener: () => void) => (topic === undefined ? nothing() : follow(topic, listener)),
    [topic],
  )
  const update = useSyncExternalStore(subscribe, () => (topic === undefined ? undefined : topicOf(topic).store.get()))
  return update?.data as T | undefined
}

/** The last states of several topics, in their order; undefined for those that are not there yet. */
export const useTopics = <T>(names: readonly string[]): readonly (T | undefined)[] => {
  const key = names.join(',')
  const last = useRef<readonly (T | undefined)[]>([])
  const subscribe = useCallback(
    (listener: () => void) => {
      const leave = key === '' ? [] : key.split(',').map(name => follow(name, listener))
      return () => {
        for (const one of leave) one()
      }
    },
    [key],
  )
  return useSyncExternalStore(subscribe, () => {
    const now = names.map(name => topicOf(name).store.get()?.data as T | undefined)
    const isSame = now.length === last.current.length && now.every((one, i) => one === last.current[i])
    if (!isSame) last.current = now
    return last.current
  })
}

/** Runs `then` at every update of a topic. */
export const useUpdates = (topic: string | undefined, then: () => void): void => {
  useEffect(() => (topic === undefined ? undefined : follow(topic, then)), [topic, then])
}

export const useConnection = (): Connection => useStore(connection)
