/** Price accounts on bytes made here, by hand: no recorded Doves account was at hand. */
import { PublicKey } from '@solana/web3.js'
import { describe, expect, test } from 'vitest'
import { DOVES_PROGRAM, KNOWN_CUSTODIES } from '../../src/jupiter/addresses.ts'
import { decodeAccount, decodeAgPriceFeed, decodePrice, decodePriceFeed } from '../../src/jupiter/decode.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const number = (size: number, value: bigint): Uint8Array => {
  let left = BigInt.asUintN(8 * size, value)
  return Uint8Array.from({ length: size }, () => {
    const byte = Number(left & 255n)
    left >>= 8n
    return byte
  })
}
const join = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap(part => [...part]))
const account = (data: Uint8Array) => ({ address: 'Feed', owner: DOVES_PROGRAM, data, slot: 1n })

const SOL_MINT = KNOWN_CUSTODIES[0]!.mint
const key = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)

/** SOL at $116.66, of 2026-09-24 17:50:10 UTC. */
const agPriceFeed = join(
  hex('70f98bd9d7d0f936'),
  new PublicKey(SOL_MINT).toBytes(),
  key(1),
  key(2),
  key(3),
  key(4),
  number(8, 11_666_000_000n),
  number(1, -8n),
  number(8, 1_790_272_210n),
  number(4, 60n),
  number(4, 30n),
  number(8, 100n),
  number(1, 254n),
)

const pair = new Uint8Array(32)
pair.set(new TextEncoder().encode('SOLUSD'))
const priceFeed = join(
  hex('bd67fc179823f39c'),
  pair,
  new Uint8Array(33).fill(3),
  number(8, 11_666_000_000n),
  number(1, -8n),
  number(8, 1_790_272_210n),
  number(1, 255n),
)

describe('Doves', () => {
  const common = { price: 11_666_000_000n, expo: -8, timestamp: 1_790_272_210n }

  test('an AgPriceFeed', () => {
    expect(agPriceFeed.length).toBe(202)
    expect(decodePrice(account(agPriceFeed))).toStrictEqual({
      feed: 'ag-price-feed',
      ...common,
      mint: SOL_MINT,
      maxAgPriceAgeSec: 60,
    })
    expect(decodeAgPriceFeed(account(agPriceFeed))).toStrictEqual({
      mint: SOL_MINT,
      edgeFeed: new PublicKey(key(1)).toBase58(),
      clFeed: new PublicKey(key(2)).toBase58(),
      pythFeed: new PublicKey(key(3)).toBase58(),
      pythFeedId: key(4),
      ...common,
      config: { maxAgPriceAgeSec: 60, maxPriceFeedAgeSec: 30, maxPriceDiffBps: 100n },
      bump: 254,
    })
  })

  test('a PriceFeed', () => {
    expect(priceFeed.length).toBe(91)
    expect(decodePrice(account(priceFeed))).toStrictEqual({ feed: 'price-feed', ...common })
    expect(decodePriceFeed(account(priceFeed))).toStrictEqual({
      pair,
      signer: new Uint8Array(33).fill(3),
      ...common,
      bump: 255,
    })
  })

  test('room behind the last field does not matter', () => {
    for (const feed of [agPriceFeed, priceFeed]) {
      const roomy = join(feed, key(9))
      expect(decodePrice(account(roomy))).toStrictEqual(decodePrice(account(feed)))
      expect(decodeAccount(account(roomy)).kind).toBe('price')
    }
  })

  test('the fields are copies: a buffer that is used again does not change them', () => {
    const data = Uint8Array.from(agPriceFeed)
    const fields = decodeAgPriceFeed(account(data))
    data.fill(0)
    expect(fields.pythFeedId).toStrictEqual(key(4))
  })
})
