/** What kind of chain this is, and what its clock says. */
import { useEffect, useState } from 'react'
import { useConnection } from './live.ts'
import { useRead } from './store.ts'

/** As `GET /readyz` answers. */
export interface ChainState {
  readonly ready: boolean
  readonly local: boolean
  readonly speed: number
  readonly slot: number | null
  /** Unix seconds by the chain's clock. */
  readonly time: number | null
  /** Milliseconds since a new slot was read. */
  readonly age: number | null
  readonly markets: number
  readonly index: string
  readonly indexSlot: number | null
}

const EVERY = 5000

export const useChain = (): ChainState | undefined => useRead<ChainState>('/readyz', undefined, { every: EVERY }).data

/** Why figures may be old, if they may. */
export const useStale = (): string | undefined => {
  const { data, error } = useRead<ChainState>('/readyz', undefined, { every: EVERY })
  const connection = useConnection()
  if (error !== undefined) return error.code === 'unreachable' ? error.message : 'The chain was read too long ago'
  if (data !== undefined && !data.ready) return 'The chain was read too long ago'
  return connection === 'lost' ? 'The stream of changes is interrupted' : undefined
}

/** Unix seconds by the chain's clock, where it was last heard of; for whoever acts on it now. */
let heard: (() => number) | undefined
export const chainNow = (): number | undefined => heard?.()

/** The chain's clock, counted on between two answers; unix seconds. */
export const useNow = (): number | undefined => {
  const chain = useChain()
  const [now, setNow] = useState<number>()
  useEffect(() => {
    if (chain?.time === undefined || chain.time === null) return
    const { time, speed, age } = chain
    const began = performance.now() - (age ?? 0)
    heard = () => Math.floor(time + ((performance.now() - began) / 1000) * speed)
    const count = (): void => setNow(heard?.())
    count()
    const timer = setInterval(count, 1000)
    return () => clearInterval(timer)
  }, [chain])
  return now
}
