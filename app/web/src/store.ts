/** A value that components follow, and reads of the API that they share. */
import { useCallback, useEffect, useRef, useSyncExternalStore } from 'react'
import { type ApiError, get, type Query, toApiError } from './api.ts'

export interface Store<T> {
  readonly get: () => T
  readonly set: (next: T | ((before: T) => T)) => void
  readonly subscribe: (listener: () => void) => () => void
}

export const createStore = <T>(initial: T): Store<T> => {
  let value = initial
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    set: next => {
      const after = typeof next === 'function' ? (next as (before: T) => T)(value) : next
      if (Object.is(after, value)) return
      value = after
      for (const listener of [...listeners]) listener()
    },
    subscribe: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export const useStore = <T>(store: Store<T>): T => useSyncExternalStore(store.subscribe, store.get)

// ---- reads ------------------------------------------------------------------------------------------------------------

export interface Read<T> {
  /** The last answer, kept while the next one is on its way and when it fails. */
  readonly data: T | undefined
  readonly error: ApiError | undefined
  readonly isLoading: boolean
}

interface Entry {
  readonly store: Store<Read<unknown>>
  readonly load: () => Promise<void>
  users: number
  /** When it was last asked for, and answered; milliseconds. */
  askedAt: number
}

/** Milliseconds between two questions of the same. */
const AGAIN = 150

const entries = new Map<string, Entry>()
const NOTHING: Read<never> = { data: undefined, error: undefined, isLoading: false }
const none = createStore<Read<never>>(NOTHING)

const entryOf = (path: string, query: Query | undefined): Entry => {
  const key = `${path}?${JSON.stringify(query ?? {})}`
  const known = entries.get(key)
  if (known !== undefined) return known
  const store = createStore<Read<unknown>>({ ...NOTHING, isLoading: true })
  let running: Promise<void> | undefined
  let again = false
  const once = async (): Promise<void> => {
    entry.askedAt = Date.now()
    try {
      const data = await get<unknown>(path, query)
      store.set({ data, error: undefined, isLoading: false })
    } catch (error) {
      store.set(before => ({ ...before, error: toApiError(error), isLoading: false }))
    }
  }
  const entry: Entry = {
    store,
    users: 0,
    askedAt: 0,
    // Who asks while an answer is on its way gets the one after it: that one may be from before.
    load: () => {
      if (running !== undefined) {
        again = true
        return running
      }
      running = once().finally(() => {
        running = undefined
        if (again) {
          again = false
          void entry.load()
        }
      })
      return running
    },
  }
  entries.set(key, entry)
  return entry
}

export interface ReadOptions {
  /** Milliseconds after which it is asked for again while somebody looks at it. */
  readonly every?: number
  /** Milliseconds for which an answer is good enough for a newcomer, 2,000 by default. */
  readonly fresh?: number
}

/**
 * A GET of the API that all components with the same path and query share; nothing is asked while `path` is undefined. The last answer
 * stays on the screen until the next one is there.
 */
export const useRead = <T>(
  path: string | undefined,
  query?: Query,
  { every, fresh = 2000 }: ReadOptions = {},
): Read<T> & { readonly reload: () => void } => {
  const key = JSON.stringify(query ?? {})
  const entry = path === undefined ? undefined : entryOf(path, query)
  const store = (entry?.store ?? none) as Store<Read<T>>
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the query, whose object is another one each time
  useEffect(() => {
    if (path === undefined) return
    const asked = entryOf(path, query)
    asked.users++
    if (Date.now() - asked.askedAt > fresh) void asked.load()
    const timer =
      every === undefined
        ? undefined
        : setInterval(() => {
            // Of several who look at it, one asks.
            if (document.visibilityState === 'visible' && Date.now() - asked.askedAt >= every * 0.9) void asked.load()
          }, every)
    return () => {
      asked.users--
      clearInterval(timer)
    }
  }, [path, key, every, fresh])
  const reload = useCallback(() => void entry?.load(), [entry])
  const read = useStore(store)
  // With another query the answer to the one before stays on the screen until the new one is there.
  const last = useRef<{ readonly path: string | undefined; readonly data: T | undefined }>(undefined)
  if (read.data !== undefined || last.current?.path !== path) last.current = { path, data: read.data }
  return { ...read, data: read.data ?? last.current?.data, reload }
}

/** Asks until an answer is such, which is what the page shows then; undefined if none is within so many milliseconds. */
export const readUntil = async <T>(
  path: string,
  isSuch: (data: T) => boolean,
  patience: number,
): Promise<T | undefined> => {
  const { load, store } = entryOf(path, undefined)
  const until = performance.now() + patience
  for (;;) {
    await load()
    const { data, error } = store.get()
    if (error === undefined && isSuch(data as T)) return data as T
    if (performance.now() > until) return undefined
    await new Promise(done => setTimeout(done, AGAIN))
  }
}

/** Asks again for whatever is looked at and begins so, such as `/v1/accounts/`; what nobody looks at is forgotten. */
export const invalidate = (prefix: string): void => {
  for (const [key, entry] of entries) {
    if (!key.startsWith(prefix)) continue
    if (entry.users > 0) void entry.load()
    else entries.delete(key)
  }
}
