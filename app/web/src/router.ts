/** Where we are: `#/trade/JLP-2411`. In the hash, so that any server of files can serve the page. */
import { useSyncExternalStore } from 'react'

export const PAGES = ['markets', 'trade', 'earn', 'liquidity', 'arbitrage', 'portfolio'] as const
export type PageName = (typeof PAGES)[number]

export interface Route {
  readonly page: PageName
  /** What follows the page, such as a market's name. */
  readonly rest: readonly string[]
}

const isPage = (name: string | undefined): name is PageName => PAGES.some(page => page === name)

let hash: string | undefined
let route: Route = { page: 'markets', rest: [] }
const read = (): Route => {
  if (hash === location.hash) return route
  hash = location.hash
  const [page, ...rest] = hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decodeURIComponent)
  route = { page: isPage(page) ? page : 'markets', rest }
  return route
}

const subscribe = (listener: () => void): (() => void) => {
  addEventListener('hashchange', listener)
  return () => removeEventListener('hashchange', listener)
}

export const useRoute = (): Route => useSyncExternalStore(subscribe, read)

export const href = (page: PageName, ...rest: readonly string[]): string =>
  `#/${[page, ...rest].map(encodeURIComponent).join('/')}`

export const go = (page: PageName, ...rest: readonly string[]): void => {
  location.hash = href(page, ...rest)
}
