/** What was, page by page, out of the index. */
import { useState } from 'react'
import { type ApiError, get, toApiError } from '../../api.ts'
import { useHasIndex } from '../../data.ts'
import { useRead } from '../../store.ts'
import type { Page, Q64, Trade } from '../../types.ts'

export type TradeRow = Trade

interface Origin {
  readonly slot: number
  readonly signature: string
  readonly time: number
  readonly market: string
  readonly sub: number
}

/** As `GET /v1/accounts/:owner/history` answers; amounts are atoms. */
export interface AccountChange extends Origin {
  readonly cause: string
  readonly coupon: string
  readonly change: {
    readonly margin: string
    readonly st: string
    readonly yt: string
    readonly netDeposits: string
  }
  readonly margin: string
  readonly st: string
  readonly yt: string
  readonly coupons: string
  readonly fees: string
}

/** As `GET /v1/accounts/:owner/orders` answers. */
export interface OrderChange extends Origin {
  readonly id: number
  readonly action: string
  readonly status: 'open' | 'filled' | 'cancelled' | 'expired'
  readonly placedAmount: string
  readonly amount: string
  readonly filled: string
  readonly feesPaid: string
  readonly limitRate: Q64
}

const ROWS = 25
const MOST = 1000
const EVERY = 5000

export interface Pages<T> {
  readonly rows: readonly T[] | undefined
  readonly error: ApiError | undefined
  readonly hasMore: boolean
  readonly more: () => void
  readonly isLoading: boolean
}

/** The newest rows, read again now and then, and older ones as they are asked for. */
export const usePages = <T extends { readonly signature: string }>(path: string): Pages<T> => {
  const first = useRead<Page<T>>(useHasIndex() ? path : undefined, { limit: ROWS }, { every: EVERY })
  const [older, setOlder] = useState<{ readonly rows: readonly T[]; readonly next: string | null }>()
  const [failed, setFailed] = useState<ApiError>()
  const [isLoading, setLoading] = useState(false)
  const next = older === undefined ? (first.data?.next ?? null) : older.next
  const more = (): void => {
    if (next === null) return
    setLoading(true)
    get<Page<T>>(path, { limit: ROWS, cursor: next })
      .then(
        // The newest ones are kept with them, as what follows these begins behind what was shown.
        page =>
          setOlder(before => ({ rows: [...(before?.rows ?? first.data?.rows ?? []), ...page.rows], next: page.next })),
        (error: unknown) => setFailed(toApiError(error)),
      )
      .finally(() => setLoading(false))
  }
  const fresh = first.data?.rows
  const known = older?.rows
  const rows =
    fresh === undefined || known === undefined
      ? fresh
      : [
          ...fresh.slice(
            0,
            Math.max(
              0,
              fresh.findIndex(({ signature }) => signature === known[0]?.signature),
            ),
          ),
          ...known,
        ]
  return { rows, error: first.error ?? failed, hasMore: next !== null, more, isLoading }
}

/** Every row that there is. */
export const allRows = async <T>(path: string): Promise<T[]> => {
  const rows: T[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await get<Page<T>>(path, { limit: MOST, cursor })
    rows.push(...page.rows)
    if (page.next === null) return rows
    cursor = page.next
  }
}
