/** Where on a chain the things are that the engine knows by name. Deriving an address is slow, so each is derived once. */
import { PublicKey } from '@solana/web3.js'
import { type CouponKind, parseMarketName } from '../../amm/index.ts'
import {
  ADDRESSES,
  type AddressName,
  derive,
  PROGRAM_ID,
  type SeedsOf,
  TICK_ARRAYS,
  TICKS_PER_ARRAY,
} from '../../src/client/index.ts'
import {
  type AccountRef,
  DEFAULT_TERMS,
  type OrderRef,
  orderId,
  type PositionRef,
  type Token,
} from '../../src/exchange/index.ts'
import { keyOf } from '../programs/build-chain.ts'
import { ata, TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from '../programs/tokens.ts'

export interface MarketPlaces {
  readonly kind: CouponKind
  readonly maturity: number
  readonly market: string
  readonly index: string
  readonly vault: string
  readonly ptMint: string
  /** Tick arrays, by number. */
  readonly arrays: readonly string[]
}

export interface IndexPlaces {
  readonly index: string
  readonly stMint: string
  readonly stVault: string
}

const memo = <V>(make: (name: string) => V): ((name: string) => V) => {
  const known = new Map<string, V>()
  return name => {
    const found = known.get(name)
    if (found !== undefined) return found
    const made = make(name)
    known.set(name, made)
    return made
  }
}

const at = <N extends AddressName>(name: N, seeds: SeedsOf<N>): string => derive(PROGRAM_ID, name, seeds).address

export const keyAt = memo(address => new PublicKey(address))

const named = new Map<string, string>()

/** The address of an owner. */
export const ownerAt = memo(name => {
  const address = keyOf(name).publicKey.toBase58()
  named.set(address, name)
  return address
})

/** The name of an owner whose address was asked for before. */
export const nameAt = (address: string): string => {
  const name = named.get(address)
  if (name === undefined) throw new Error(`Nobody is at ${address}`)
  return name
}

export const configAt = ADDRESSES.config

const INDICES: Readonly<Record<CouponKind, IndexPlaces>> = {
  hourly: indexPlaces('hourly'),
  weekly: indexPlaces('weekly'),
}
function indexPlaces(kind: CouponKind): IndexPlaces {
  return { index: at('RateIndex', { kind }), stMint: at('StMint', { kind }), stVault: at('StVault', { kind }) }
}
export const indexAt = (kind: CouponKind): IndexPlaces => INDICES[kind]

const marketPlaces = memo((moment): MarketPlaces => {
  const [kind, maturity] = [moment.split('/')[0] as CouponKind, Number(moment.split('/')[1])]
  const market = at('Market', { maturity, kind })
  const { minTick, spacing } = DEFAULT_TERMS[kind].grid
  return {
    kind,
    maturity,
    market,
    index: indexAt(kind).index,
    vault: at('Vault', { market }),
    ptMint: at('PtMint', { market }),
    arrays: Array.from({ length: TICK_ARRAYS }, (_, number) =>
      at('TickArray', { market, start: minTick + number * TICKS_PER_ARRAY * spacing }),
    ),
  }
})

/** Of a market by its maturity, whether there is one or not. */
export const marketOf = (maturity: number, kind: CouponKind): MarketPlaces => marketPlaces(`${kind}/${maturity}`)
/** Of a market by its name. */
export const marketAt = memo((id): MarketPlaces => {
  const { maturity, kind } = parseMarketName(id)
  return marketOf(maturity, kind)
})

const accountPlace = memo(id => {
  const [market, owner, sub] = id.split('/') as [string, string, string]
  return at('MarginAccount', { market: marketAt(market).market, owner: ownerAt(owner), sub: Number(sub) })
})
export const accountAt = ({ market, owner, sub }: AccountRef): string => accountPlace(`${market}/${owner}/${sub}`)

const orderPlace = memo(id => {
  const at = id.lastIndexOf('/')
  return derive(PROGRAM_ID, 'RestingOrder', { account: accountPlace(id.slice(0, at)), id: Number(id.slice(at + 1)) })
    .address
})
export const orderAt = (ref: OrderRef): string => orderPlace(orderId(ref))

const positionPlace = memo(id => {
  const [market, owner, lower, upper] = id.split('/') as [string, string, string, string]
  const range = { lower: Number(lower), upper: Number(upper) }
  return at('LpPosition', { market: marketAt(market).market, owner: ownerAt(owner), ...range })
})
export const positionAt = ({ market, owner, lower, upper }: PositionRef): string =>
  positionPlace(`${market}/${owner}/${lower}/${upper}`)

/** The mint of a token and the program that it belongs to. */
export const mintAt = (token: Token): { readonly mint: string; readonly program: PublicKey } => {
  if (token === 'jlp') return { mint: ADDRESSES.jlpMint, program: TOKEN_PROGRAM }
  if (token === 'st-hourly') return { mint: indexAt('hourly').stMint, program: TOKEN_2022_PROGRAM }
  if (token === 'st-weekly') return { mint: indexAt('weekly').stMint, program: TOKEN_2022_PROGRAM }
  return { mint: marketAt(token.slice(3)).ptMint, program: TOKEN_PROGRAM }
}

const walletPlace = memo(id => {
  const split = id.indexOf(':')
  const { mint, program } = mintAt(id.slice(0, split) as Token)
  return ata(keyAt(mint), keyAt(ownerAt(id.slice(split + 1))), program).toBase58()
})
/** An owner's associated account of a token. */
export const walletAt = (token: Token, owner: string): string => walletPlace(`${token}:${owner}`)
