/** Figures of a chain for people. */
import { apyFromRate, formatAtoms, formatPercent, type RateQ64, tickRate } from '../../../amm/index.ts'
import type { EventRecord, Sent } from '../../client/index.ts'
import { real } from '../../strategy/index.ts'
import { grouped } from '../output.ts'

/** A rate as an APY, "20.31%". */
export const apyOf = (rate: bigint): string => formatPercent(apyFromRate(rate as RateQ64))

/** The APY at a tick. */
export const apyAtTick = (tick: number): string => apyOf(tickRate(tick))

/** Atoms as "1,234.57"; what was paid is shown in full, by `formatAtoms`. */
export const amount = (atoms: bigint, digits = 2): string => grouped(Number(atoms) / 1e6, digits)

/** The same with its sign. */
export const signedAmount = (atoms: bigint): string => `${atoms > 0n ? '+' : ''}${amount(atoms)}`

export const times = (value: bigint | undefined): string => (value === undefined ? '-' : `${real(value).toFixed(2)}x`)

/** Seconds as "3.5 d", "7.2 h" or "12 min". */
export const duration = (seconds: number): string =>
  seconds >= 86_400
    ? `${(seconds / 86_400).toFixed(1)} d`
    : seconds >= 3600
      ? `${(seconds / 3600).toFixed(1)} h`
      : `${Math.ceil(seconds / 60)} min`

type RecordOf<T extends EventRecord['type']> = Extract<EventRecord, { readonly type: T }>

/** What a transaction did of one kind, in order. */
export const recordsOf = <T extends EventRecord['type']>({ events }: Pick<Sent, 'events'>, type: T): RecordOf<T>[] =>
  events.flatMap(event => event.records.filter((record): record is RecordOf<T> => record.type === type))

/** How much of a token came to a wallet (went, if negative), atoms. */
export const changeOf = (sent: Pick<Sent, 'events'>, mint: string, owner: string): bigint =>
  recordsOf(sent, 'balance')
    .filter(record => record.mint === mint && record.owner === owner)
    .reduce((sum, { change }) => sum + change, 0n)

/** "paid 1.5 JLP", "received 1.5 JLP". */
export const moved = (change: bigint, token: string): string =>
  change < 0n ? `paid ${formatAtoms(-change)} ${token}` : `received ${formatAtoms(change)} ${token}`
