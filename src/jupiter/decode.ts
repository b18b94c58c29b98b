/**
 * Account bytes -> facts. An account is believed only if its program owns it, it says what it is, it has the size that such
 * accounts have, and every byte that is read could have been written by the program; else a `JupiterError` names the account,
 * its slot, the field and the offset. What lies behind the last field is not looked at: later versions append there.
 *
 * Whether the account is at the address that its seeds give is asked apart (addresses.ts): that costs hashing.
 */
import {
  type AccountLayout,
  AG_PRICE_FEED,
  type AgPriceFeedFields,
  CUSTODY,
  DISCRIMINATOR_BYTES,
  POOL,
  POSITION,
  PRICE_FEED,
  type PriceFeedFields,
} from './accounts.ts'
import { Cursor } from './cursor.ts'
import { JupiterError } from './errors.ts'
import type { Address, CustodyFacts, PoolFacts, PositionFacts, PriceFacts } from './facts.ts'

/** An account as a node returns it. */
export interface AccountBytes {
  readonly address: Address
  /** The program that owns it. */
  readonly owner: Address
  readonly data: Uint8Array
  /** The slot it was read at; only for messages. */
  readonly slot?: bigint | number | undefined
}

const begins = (data: Uint8Array, discriminator: readonly number[]): boolean => {
  for (let i = 0; i < DISCRIMINATOR_BYTES; i++) if (data[i] !== discriminator[i]) return false
  return true
}

/** What Anchor writes over the discriminator of an account that it closes. */
const CLOSED = new Array<number>(DISCRIMINATOR_BYTES).fill(255)

/** Refuses an account that is none of `layouts`, and tells which it is. */
const recognise = <L extends AccountLayout<never>>(account: AccountBytes, layouts: readonly L[]): L => {
  const { data, owner } = account
  const names = layouts.map(({ name }) => name).join(' or ')
  if (data.length === 0) throw new JupiterError('closed', `Holds no ${names}: closed, or never created`, account)
  const owned = layouts.filter(layout => layout.owner === owner)
  if (owned.length === 0) {
    const expected = [...new Set(layouts.map(layout => layout.owner))].join(' or ')
    const why = `A ${names} must be owned by ${expected}, this account is owned by ${owner}`
    throw new JupiterError('wrong-owner', why, account, { owner, expected })
  }
  if (data.length < DISCRIMINATOR_BYTES) {
    const why = `${data.length} bytes are too few for a ${names}`
    throw new JupiterError('wrong-length', why, account, { length: data.length })
  }
  const layout = owned.find(({ discriminator }) => begins(data, discriminator))
  if (layout !== undefined) return layout
  if (begins(data, CLOSED)) throw new JupiterError('closed', `Held a ${names} or another account: closed`, account)
  const found = Array.from(data.subarray(0, DISCRIMINATOR_BYTES), byte => byte.toString(16).padStart(2, '0')).join('')
  throw new JupiterError('wrong-discriminator', `Is not a ${names}: it begins with ${found}`, account, { found })
}

const read = <Fields>(account: AccountBytes, layout: AccountLayout<Fields>): Fields => {
  const { data } = account
  const { name, size, codec } = layout
  if (layout.mayBeLonger ? data.length < size : data.length !== size) {
    const why = `A ${name} has ${layout.mayBeLonger ? 'at least ' : ''}${size} bytes, not ${data.length}; fetch it anew, whole`
    throw new JupiterError('wrong-length', why, account, { length: data.length, expected: size })
  }
  const fields = codec.read(new Cursor(data, DISCRIMINATOR_BYTES, 'malformed', account)) as Fields
  const fault = layout.fault(fields)
  if (fault !== undefined) {
    throw new JupiterError('malformed', `${fault.field} ${fault.why}`, account, { field: fault.field })
  }
  return fields
}

/** `recognise` for one layout, without making a list: pools are read often. */
const decodeAs = <Fields>(account: AccountBytes, layout: AccountLayout<Fields>): Fields => {
  if (account.owner !== layout.owner || !begins(account.data, layout.discriminator)) recognise(account, [layout])
  return read(account, layout)
}

/** The pool; any number of custodies. 2000 bytes. */
export const decodePool = (account: AccountBytes): PoolFacts => decodeAs(account, POOL)

/** A token of the pool. 2000 bytes. */
export const decodeCustody = (account: AccountBytes): CustodyFacts => decodeAs(account, CUSTODY)

/** A trader's position; with `sizeUsd` 0 it is closed. 216 bytes. */
export const decodePosition = (account: AccountBytes): PositionFacts => decodeAs(account, POSITION)

/** All fields of a Doves PriceFeed, the older kind. */
export const decodePriceFeed = (account: AccountBytes): PriceFeedFields => decodeAs(account, PRICE_FEED)

/** All fields of a Doves AgPriceFeed, the kind that custodies name as `dovesAgOracle`. */
export const decodeAgPriceFeed = (account: AccountBytes): AgPriceFeedFields => decodeAs(account, AG_PRICE_FEED)

/** The price in a Doves account of either kind. USD = price * 10^expo. Its age is for the caller to judge. */
export const decodePrice = (account: AccountBytes): PriceFacts => {
  if (recognise<AccountLayout<never>>(account, [AG_PRICE_FEED, PRICE_FEED]).name === PRICE_FEED.name) {
    const { price, expo, timestamp } = decodePriceFeed(account)
    return { feed: 'price-feed', price, expo, timestamp }
  }
  const { price, expo, timestamp, mint, config } = decodeAgPriceFeed(account)
  return { feed: 'ag-price-feed', price, expo, timestamp, mint, maxAgPriceAgeSec: config.maxAgPriceAgeSec }
}

/** An account of whichever kind, and which. */
export type DecodedAccount =
  | { readonly kind: 'pool'; readonly facts: PoolFacts }
  | { readonly kind: 'custody'; readonly facts: CustodyFacts }
  | { readonly kind: 'position'; readonly facts: PositionFacts }
  | { readonly kind: 'price'; readonly facts: PriceFacts }

/** Reads an account of any of the kinds above: for files and answers that do not say what they hold. */
export const decodeAccount = (account: AccountBytes): DecodedAccount => {
  const found = recognise<AccountLayout<never>>(account, [POOL, CUSTODY, POSITION, AG_PRICE_FEED, PRICE_FEED])
  if (found.name === POOL.name) return { kind: 'pool', facts: decodePool(account) }
  if (found.name === CUSTODY.name) return { kind: 'custody', facts: decodeCustody(account) }
  if (found.name === POSITION.name) return { kind: 'position', facts: decodePosition(account) }
  return { kind: 'price', facts: decodePrice(account) }
}
