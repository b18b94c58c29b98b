/** What several pages ask and say in the same way. */
import { useEffect, useState } from 'react'
import { KernelError, parseAtoms } from '../../../../amm/index.ts'
import { useChain } from '../chain.ts'
import { day, duration, formatAtoms } from '../format.ts'
import type { Market } from '../types.ts'
import { FaucetButton } from '../wallet/faucet.tsx'
import { chooseWallet, useSigner } from '../wallet/wallet.tsx'
import { Banner, Field, Select } from './index.tsx'
import './shared.css'

/** A value that waits until it has stood still: for questions to the server while somebody types. */
export const useSettled = <T,>(value: T, milliseconds = 250): T => {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds)
    return () => clearTimeout(timer)
  }, [value, milliseconds])
  return settled
}

// ---- markets ----------------------------------------------------------------------------------------------------------------

export const isLive = ({ status }: Market): boolean => status !== 'matured' && status !== 'opening'

/** "JLP-2411, 29 Nov 2024, hourly coupons". */
export const marketWords = ({ market, maturity, kind }: Market): string =>
  `${market} · ${day(maturity)} · ${kind} coupons`

export const timeLeft = ({ maturity }: Market, now: number | undefined): string | undefined =>
  now === undefined ? undefined : maturity <= now ? 'matured' : duration(maturity - now)

/** Why something cannot be done in a market now; undefined if it can. Exits stay open where new risk is closed. */
export const closedBecause = (market: Market | undefined, what: 'risk' | 'exit'): string | undefined => {
  if (market === undefined) return 'The market is being read'
  const { status, says } = market
  if (status === 'open' || status === 'coupon-due') return undefined
  return what === 'exit' && (status === 'paused' || status === 'reduce-only') ? undefined : says
}

/** The state of a market where it is not open. */
export const MarketState = ({ market }: { readonly market: Market | undefined }) => {
  if (market === undefined || market.status === 'open' || market.status === 'coupon-due') return null
  return (
    <Banner tone={market.status === 'matured' ? 'info' : 'warn'} title={`${market.market}: ${market.status}.`}>
      {market.says}.
    </Banner>
  )
}

/** What a market is like right now, in a word; for a panel's head, where it can change without moving anything. */
export const MarketBadge = ({ market }: { readonly market: Market | undefined }) =>
  market === undefined ? null : market.status === 'coupon-due' ? (
    <span className="badge" title="The next transaction pays it; figures are those after it">
      coupon due
    </span>
  ) : (
    <span className={market.status === 'open' ? 'badge long' : 'badge warn'}>{market.status}</span>
  )

export const MarketSelect = ({
  label,
  value,
  markets,
  onChange,
  help,
}: {
  readonly label: string
  readonly value: string
  readonly markets: readonly Market[]
  readonly onChange: (market: string) => void
  readonly help?: string
}) => (
  <Select
    label={label}
    value={value}
    options={markets.map(market => [market.market, marketWords(market)] as const)}
    onChange={onChange}
    help={help}
  />
)

// ---- amounts ----------------------------------------------------------------------------------------------------------------

export interface Typed {
  /** Undefined while nothing, or nothing sensible, is typed. */
  readonly atoms: bigint | undefined
  readonly error: string | undefined
}

/** A typed number of tokens. */
export const atomsIn = (text: string): Typed => {
  if (text.trim() === '') return { atoms: undefined, error: undefined }
  try {
    return { atoms: parseAtoms(text.replace(/\s/g, '')), error: undefined }
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    return { atoms: undefined, error: 'A number with at most 6 decimals, such as 12.5' }
  }
}

/** A typed percentage as a fraction. */
export const fractionIn = (text: string, most = 10): number | undefined => {
  const value = Number(text.replace(/%$/, ''))
  return text.trim() === '' || !Number.isFinite(value) || value < 0 || value > most * 100 ? undefined : value / 100
}

/** An amount with what there is of it, and a button for all of that. */
export const AmountField = ({
  label,
  value,
  onChange,
  unit,
  has,
  help,
}: {
  readonly label: string
  readonly value: string
  readonly onChange: (text: string) => void
  readonly unit: string
  /** Atoms that there are; undefined: not known. */
  readonly has: bigint | undefined
  readonly help?: string
}) => {
  const { atoms, error } = atomsIn(value)
  const short = has !== undefined && atoms !== undefined && atoms > has ? `You have ${formatAtoms(has)} ${unit}` : error
  return (
    <Field
      label={label}
      value={value}
      onChange={onChange}
      unit={unit}
      error={short}
      help={help}
      placeholder="0.00"
      aside={
        has === undefined ? null : (
          <button type="button" className="link num" onClick={() => onChange(formatAtoms(has))}>
            all {formatAtoms(has, 2)} {unit}
          </button>
        )
      }
    />
  )
}

export const PercentField = ({
  label,
  value,
  onChange,
  help,
  most = 10,
}: {
  readonly label: string
  readonly value: string
  readonly onChange: (text: string) => void
  readonly help?: string
  /** The greatest fraction. */
  readonly most?: number
}) => (
  <Field
    label={label}
    value={value}
    onChange={onChange}
    unit="%"
    help={help}
    error={fractionIn(value, most) === undefined ? `A percentage from 0 to ${most * 100}` : undefined}
  />
)

// ---- wallets ----------------------------------------------------------------------------------------------------------------

/** What is to be done before anything can be signed; nothing once there is a wallet with JLP in it. */
export const WalletNeeded = ({ jlp, why }: { readonly jlp: bigint | undefined; readonly why: string }) => {
  const signer = useSigner()
  const chain = useChain()
  if (signer === undefined) {
    return (
      <Banner
        title="No wallet yet."
        action={
          <button type="button" className="button primary" onClick={chooseWallet}>
            Connect a wallet
          </button>
        }
      >
        {why}
      </Banner>
    )
  }
  if (jlp === undefined || jlp > 0n) return null
  return (
    <Banner
      title="This wallet has no JLP."
      action={chain?.local === true ? <FaucetButton owner={signer.address} className="button primary" /> : null}
    >
      {chain?.local === true ? 'The faucet of this local chain gives test JLP.' : 'Send it some JLP first.'}
    </Banner>
  )
}

/** Who asks how far a price may move before it is refused. */
export const ToleranceSelect = ({
  value,
  onChange,
}: {
  readonly value: number
  readonly onChange: (bps: number) => void
}) => (
  <Select
    label="Tolerance"
    value={String(value)}
    options={[
      ['10', '0.1 % of the rate'],
      ['50', '0.5 % of the rate'],
      ['200', '2 % of the rate'],
      ['500', '5 % of the rate'],
    ]}
    onChange={bps => onChange(Number(bps))}
    help="Beyond it nothing is done: others may trade before you."
  />
)
