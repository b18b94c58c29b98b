/** What several pages look at, as it changes. */
import { useEffect, useMemo, useState } from 'react'
import { useChain } from './chain.ts'
import { useTopic, useTopics } from './live.ts'
import { useRead } from './store.ts'
import type { Candle, Jlp, Market, Markets, Oracle, Owner, Page } from './types.ts'

const SLOW = 15_000

/** All markets by maturity, each as the stream last said. */
export const useMarkets = () => {
  const { data, error } = useRead<Markets>('/v1/markets', undefined, { every: SLOW })
  const names = useMemo(() => data?.markets.map(({ market }) => `market:${market}`) ?? [], [data])
  const live = useTopics<Market>(names)
  const markets = useMemo(
    () =>
      data?.markets.map((market, i) => {
        const newer = live[i]
        // The stream leaves out volumes.
        return newer === undefined || newer.slot < market.slot ? market : { ...newer, volume24h: market.volume24h }
      }),
    [data, live],
  )
  return { markets, error }
}

/** One market as the stream last said, and the names of all. */
export const useMarket = (name: string | undefined) => {
  const { data, error } = useRead<Markets>('/v1/markets', undefined, { every: SLOW })
  const found = data?.markets.find(({ market }) => market === name)
  const live = useTopic<Market>(found === undefined ? undefined : `market:${found.market}`)
  const market = useMemo(
    () =>
      found === undefined || live === undefined || live.slot < found.slot
        ? found
        : { ...live, volume24h: found.volume24h },
    [found, live],
  )
  return { market, markets: data?.markets, error }
}

export const useOracle = (): Oracle | undefined => {
  const { data } = useRead<Oracle>('/v1/oracle', undefined, { every: SLOW })
  return useTopic<Oracle>('oracle') ?? data
}

export const useJlp = () => useRead<Jlp>('/v1/jlp', undefined, { every: SLOW })

/** What is held changes with every price, of which no stream tells: asked for so often, milliseconds. */
const HELD = 3000

/** All that an owner has. */
export const useOwner = (owner: string | undefined) => {
  const path = owner === undefined ? undefined : `/v1/accounts/${owner}`
  const [every, setEvery] = useState(SLOW)
  const { data, error, reload } = useRead<Owner>(path, undefined, { every })
  const holds = data !== undefined && data.accounts.length + data.positions.length + data.wallet.pt.length > 0
  useEffect(() => setEvery(holds ? HELD : SLOW), [holds])
  const live = useTopic<Owner>(owner === undefined ? undefined : `account:${owner}`)
  return { owner: live !== undefined && data !== undefined && live.slot > data.slot ? live : data, error, reload }
}

/** Whether there is an index to ask for what was. */
export const useHasIndex = (): boolean => useChain()?.index === 'ok'

/** Why what was cannot be read, if that is so. */
export const useNoHistory = (): string | undefined => {
  const index = useChain()?.index
  if (index === 'none') return 'There is no index here to read history from'
  return index === 'unavailable' ? 'The index of what was does not answer now; it is asked again' : undefined
}

/** The candles of a market from a time on, the oldest first. */
export const useCandles = (market: string | undefined, width: '1m' | '1h' | '1d', from: number | undefined) =>
  useRead<Page<Candle>>(
    !useHasIndex() || market === undefined || from === undefined ? undefined : `/v1/markets/${market}/candles`,
    { width, from, limit: 1000 },
    { every: SLOW },
  )
