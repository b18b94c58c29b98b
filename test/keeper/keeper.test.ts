/** What a keeper does, on a chain with the program: each job at its moment and never otherwise. */
import { VersionedTransaction } from '@solana/web3.js'
import { Account, LiteSvm } from 'litesvm/dist/internal.js'
import { afterEach, describe, expect, test } from 'vitest'
import { tokenAccountOf } from '../../src/chain/tokens.ts'
import { encodeBase58 } from '../../src/client/base58.ts'
import { INSTRUCTIONS } from '../../src/client/generated/interface.ts'
import {
  ADDRESSES,
  addressOf,
  decodeInstruction,
  listAccounts,
  marketAddress,
  type OrderRequest,
  PROGRAM_ID,
  twapAt,
  walletAddress,
  walletOf,
} from '../../src/client/index.ts'
import {
  type AccountRef,
  accountLegs,
  apply,
  belowMaintenance,
  fillableOrders,
  liquidationOf,
  ytInJlp,
} from '../../src/exchange/index.ts'
import { expectBooks, standingOf } from './standing.ts'
import { as, begin, crash, fund, goLong, HOUR, idOf, keeperOn, later, ONE, type Place, told } from './support.ts'

const jlpOf = ({ chain }: Place, owner: string): bigint => {
  const wallet = walletAddress({ owner, mint: ADDRESSES.jlpMint, program: ADDRESSES.tokenProgram })
  const account = chain.account(wallet)
  return account === undefined ? 0n : (tokenAccountOf(account)?.amount ?? 0n)
}

describe('coupons', () => {
  test('T149: an hour is paid once by two keepers at once, for all markets of its kind', async () => {
    const place = await begin()
    const before = await place.client.index('hourly')
    const keepers = ['keeper', 'other'].map(name => keeperOn(place, name))
    await Promise.all(keepers.map(({ keeper }) => keeper.round()))
    expect(keepers.flatMap(({ events }) => events)).toEqual([]) // none is due
    later(place, HOUR)
    await Promise.all(keepers.map(({ keeper }) => keeper.round()))
    const index = await place.client.index('hourly')
    expect(index.lastStep).toBe(before.lastStep + HOUR)
    expect(index.discount).toBeLessThan(before.discount)
    expect(index.eventSequence).toBe(before.eventSequence + 1n)
    const results = keepers.flatMap(({ events }) => told(events))
    expect(results.filter(one => one === 'accrue done').length).toBe(1)
    expect(results.filter(one => one !== 'accrue done' && one !== 'accrue lost')).toEqual([])
    await Promise.all(keepers.map(({ keeper }) => keeper.round()))
    expect((await place.client.index('hourly')).eventSequence).toBe(index.eventSequence)
    await expectBooks(place)
  })
})

describe('liquidations', () => {
  /** Everybody who was put below maintenance by a crash, and a keeper that had not seen it. */
  const crashed = async (): Promise<Place> => {
    const place = await begin()
    for (const [name, leverage] of [
      ['ann', 8n],
      ['bob', 7n],
      ['cid', 5n],
      ['dan', 8n],
      ['eve', 3n],
    ] as const)
      await goLong(place, name, leverage)
    expect(await crash(place, 50_000n)).toBeGreaterThan(10)
    later(place, 900)
    return place
  }

  test('after a crash each is as the engine says, the worst first, and the books sum', async () => {
    const place = await crashed()
    const { connection } = place
    const market = marketAddress(place.market)
    const expected: string[] = []
    const found: string[] = []
    /** Where less would have done. */
    const tooMuch: string[] = []
    // Just before a transaction lands: what the engine would do then, by the chain as the client reads it.
    const send = connection.sendRawTransaction.bind(connection)
    connection.sendRawTransaction = async (wire, options) => {
      const { message } = VersionedTransaction.deserialize(Uint8Array.from(wire as Uint8Array))
      const call = message.compiledInstructions.find(
        ({ programIdIndex }) => message.staticAccountKeys[programIdIndex]!.toBase58() === PROGRAM_ID,
      )!
      const { name, args } = decodeInstruction(call.data)
      if (name === 'liquidate' || name === 'takeOver') {
        const { reading, state, id, world } = await standingOf(place)
        const below = belowMaintenance(state, id, world)
        const able = below.filter(ref => liquidationOf(state, ref, world) !== undefined)
        const lacks = (ref: AccountRef): bigint => {
          const { margin, st, yt } = accountLegs(state, ref, world)
          const price = ytInJlp(twapAt(reading, world.now), reading.pool)
          return -st * 10_500n - (margin + ((price * yt) >> 64n)) * 10_000n
        }
        const worst = able.reduce((most, ref) => (lacks(ref) > lacks(most) ? ref : most))
        const todo = liquidationOf(state, worst, world)!
        const address = addressOf('MarginAccount', { market, owner: worst.owner, sub: worst.sub })
        expected.push(`${address} ${todo === 'take-over' ? todo : todo.liquidate}`)
        const at = call.accountKeyIndexes[INSTRUCTIONS[name].accounts.findIndex(slot => slot.name === 'account')]!
        found.push(`${message.staticAccountKeys[at]!.toBase58()} ${name === 'liquidate' ? args.yt : 'take-over'}`)
        if (todo !== 'take-over') {
          const closedBy = (yt: bigint): bigint | undefined => {
            const done = apply(state, { kind: 'liquidate', ...worst, by: idOf('keeper'), yt }, world)
            const closed = done.kind === 'applied' ? done.events.find(event => event.type === 'liquidated') : undefined
            return closed?.closed
          }
          const [full, less] = [closedBy(todo.liquidate), closedBy((todo.liquidate * 31n) / 32n)]
          if (less !== undefined && less !== full) tooMuch.push(`${address} ${less} of ${full}`)
        }
      }
      return send(wire, options)
    }
    const { keeper, events } = keeperOn(place)
    const owed = jlpOf(place, idOf('keeper'))
    for (let round = 0; round < 12; round++) {
      await keeper.round()
      await expectBooks(place)
      later(place, 240)
    }
    expect(found.length).toBeGreaterThan(3)
    expect(found).toEqual(expected)
    expect(tooMuch).toEqual([])
    expect(told(events).filter(one => !one.endsWith('done'))).toEqual([])
    const { earned } = keeper.status()
    expect(earned).toBeGreaterThan(0n)
    expect(jlpOf(place, idOf('keeper')) - owed).toBe(earned)
    const { state, id, world } = await standingOf(place)
    expect(belowMaintenance(state, id, world)).toEqual([])
    // Who had little debt was left alone.
    const eve = await place.client.account(place.market, idOf('eve'), 0)
    expect(eve!.st).toBeLessThan(0n)
    expect(events.some(({ what }) => what.startsWith(idOf('eve')))).toBe(false)
  })

  test('T149: two keepers liquidate nobody twice', async () => {
    const place = await crashed()
    const keepers = ['keeper', 'other'].map(name => keeperOn(place, name))
    for (let round = 0; round < 6; round++) {
      await Promise.all(keepers.map(({ keeper }) => keeper.round()))
      await expectBooks(place)
      later(place, 240)
    }
    const results = keepers.flatMap(({ events }) => told(events))
    expect(results).toContain('liquidate done')
    expect(results).toContain('liquidate lost')
    expect(results.filter(one => !/ (done|lost)$/.test(one))).toEqual([])
    const { state, id, world } = await standingOf(place)
    expect(belowMaintenance(state, id, world).filter(ref => liquidationOf(state, ref, world) !== undefined)).toEqual([])
    const paid = keepers.map(({ keeper }) => keeper.status().earned)
    expect(paid.reduce((sum, one) => sum + one)).toBe(jlpOf(place, idOf('keeper')) + jlpOf(place, idOf('other')))
  })
})

describe('orders', () => {
  const resting = (place: Place, name: string, order: Partial<OrderRequest>) =>
    place.client.placeOrder(
      {
        market: place.market,
        owner: idOf(name),
        sub: 0,
        action: 'reduce-long',
        fee: 1000n,
        expiresAt: place.chain.now + 86_400,
        ...order,
      },
      as(name),
    )
  const idsLeft = async ({ connection }: Place): Promise<string[]> => {
    const left = await listAccounts(connection, 'RestingOrder')
    return left.map(({ data }) => `${data.owner}/${data.id}`).sort()
  }

  test('are filled for their fee once what they wait for has come, and never before; those that pay most first', async () => {
    const place = await begin()
    for (const name of ['ann', 'bob', 'cid']) await goLong(place, name, 3n)
    const { pool } = await place.client.market(place.market)
    const below = { when: 'rate-below', level: (pool.rate * 97n) / 100n } as const
    await resting(place, 'ann', { trigger: below, fee: 2000n })
    await resting(place, 'ann', { id: 1, trigger: { when: 'rate-above', level: pool.rate * 2n }, fee: 9000n })
    await resting(place, 'bob', { trigger: below, fee: 5000n })
    await resting(place, 'bob', {
      id: 1,
      action: 'long',
      amount: 5n * ONE,
      limitRate: (pool.rate * 9n) / 10n,
      fee: 500n,
    })
    await resting(place, 'cid', { trigger: { when: 'pnl-above', level: 10_000n * ONE }, fee: 9000n })
    const { keeper, events } = keeperOn(place)
    const fillable = async (): Promise<string[]> => {
      const { state, id, world } = await standingOf(place)
      return fillableOrders(state, id, idOf('keeper'), world).map(
        ({ owner, sub, id: number }) => `${owner}/${sub}/${number}`,
      )
    }
    const filled = (): string[] => events.filter(({ job }) => job === 'fill').map(({ what }) => what)
    expect(await fillable()).toEqual([])
    await keeper.round()
    expect(filled()).toEqual([])

    await crash(place, 30_000n)
    await keeper.round() // the TWAP has not moved yet: only the limit order sees the rate
    expect(filled().filter(what => !what.startsWith(idOf('bob')))).toEqual([])
    for (let round = 0; round < 8; round++) {
      later(place, 120)
      const expected = [...filled(), ...(await fillable())]
      await keeper.round()
      expect(filled()).toEqual(expected)
    }
    expect(filled().filter(what => what.endsWith('/0'))).toEqual([`${idOf('bob')}/0/0`, `${idOf('ann')}/0/0`])
    expect(await idsLeft(place)).toEqual([`${idOf('ann')}/1`, `${idOf('cid')}/0`].sort())
    expect(keeper.status().earned).toBe(7500n)
    expect(jlpOf(place, idOf('keeper'))).toBe(7500n)
    expect(told(events).filter(one => !one.endsWith('done'))).toEqual([])
    await expectBooks(place)
  })

  test('whose fee is too little are left to others; T149: two keepers fill one once', async () => {
    const place = await begin()
    await goLong(place, 'ann', 3n)
    await resting(place, 'ann', { amount: 10n * ONE, fee: 999n })
    const picky = keeperOn(place, 'keeper', { leastFee: 1000n })
    await picky.keeper.round()
    expect(picky.events).toEqual([])
    const before = (await place.client.account(place.market, idOf('ann'), 0))!.yt
    const keepers = ['keeper', 'other'].map(name => keeperOn(place, name))
    await Promise.all(keepers.map(({ keeper }) => keeper.round()))
    const results = keepers.flatMap(({ events }) => told(events)).filter(one => one !== 'fill lost')
    expect(results).toEqual(['fill done'])
    expect((await place.client.account(place.market, idOf('ann'), 0))!.yt).toBe(before - 10n * ONE)
  })

  test('that are over are removed the second after, and their rent goes back', async () => {
    const place = await begin()
    for (const name of ['ann', 'bob']) await goLong(place, name, 2n)
    const { pool } = await place.client.market(place.market)
    const never = { when: 'rate-above', level: pool.rate * 2n } as const
    const expiresAt = place.chain.now + 100
    for (let id = 0; id < 9; id++) await resting(place, 'ann', { id, trigger: never, expiresAt })
    await resting(place, 'bob', { trigger: never, expiresAt: expiresAt + 1 })
    const { keeper, events } = keeperOn(place)
    later(place, 100)
    await keeper.round()
    expect(events).toEqual([])
    const lamports = place.chain.account(idOf('ann'))!.lamports
    later(place, 1)
    await keeper.round()
    expect(told(events)).toEqual(['expire done', 'expire done']) // six in a transaction
    expect(await idsLeft(place)).toEqual([`${idOf('bob')}/0`])
    expect(place.chain.account(idOf('ann'))!.lamports - lamports).toBeGreaterThan(9_000_000n)
    expect((await place.client.account(place.market, idOf('ann'), 0))!.orders).toBe(0)
  })
})

describe('maturity', () => {
  test('everything is settled, removed and closed, to the last account', async () => {
    const place = await begin()
    const { client, chain, market, connection } = place
    const names = ['ann', 'bob', 'cid', 'dan', 'eve', 'fay', 'gus', 'hal', 'ida', 'jon']
    for (const [i, name] of names.entries()) await goLong(place, name, BigInt(1 + (i % 3)), 2n)
    const order = {
      market,
      owner: idOf('ann'),
      sub: 0,
      action: 'reduce-long',
      fee: 5n,
      expiresAt: market.maturity * 2,
    } as const
    await client.placeOrder({ ...order, trigger: { when: 'pnl-above', level: 10n ** 15n } }, as('ann'))
    const { keeper, events } = keeperOn(place)
    later(place, market.maturity - chain.now)
    await keeper.round()
    expect(events.some(({ job }) => job === 'settle')).toBe(false) // the last hour is not settled yet
    later(place, 300)
    await keeper.round()
    const { data } = await client.market(market)
    expect(data.pool.tauSeconds).toBe(0)
    expect(data.totals).toMatchObject({ open: 0, debtors: 0 })
    const accounts = await listAccounts(connection, 'MarginAccount')
    expect(accounts.map(({ data: { st, yt } }) => [st, yt])).toEqual(names.map(() => [0n, 0n]))
    expect(await listAccounts(connection, 'RestingOrder')).toEqual([])
    const arrays = () => listAccounts(connection, 'TickArray').then(list => list.length)
    const withTicks = data.initialised.filter(word => word !== 0n).length
    await keeper.round() // the market has copied its end: what no position needs is closed
    expect(await arrays()).toBe(withTicks)
    await expectBooks(place)
    // Everybody gets out, and then nothing is left.
    for (const name of names) {
      const { margin } = (await client.account(market, idOf(name), 0))!
      await client.execute('withdraw', { market, owner: idOf(name), sub: 0, jlp: margin }, as(name))
    }
    const operator = walletOf(chain.operator)
    for (const { data: held } of await listAccounts(connection, 'LpPosition')) {
      const { lower, upper } = held.position
      await client.removeLiquidity({ market, owner: held.owner, lower, upper }, operator)
    }
    await keeper.round()
    expect(await arrays()).toBe(0)
    const seen = events.length
    await keeper.round()
    expect(events.length).toBe(seen)
    expect(told(events).filter(one => !one.endsWith('done'))).toEqual([])
  })

  test('a market that nobody uses copies its end too', async () => {
    const place = await begin()
    later(place, place.market.maturity + 300 - place.chain.now)
    const { keeper, events } = keeperOn(place, 'keeper', { jobs: ['accrue', 'settle'] })
    await keeper.round()
    expect(told(events)).toEqual(['accrue done', 'accrue done', 'settle done'])
    expect((await place.client.market(place.market)).data.pool.tauSeconds).toBe(0)
  })
})

describe('what else anyone may do', () => {
  test('terms that have waited, fees for the treasury, and wrapped ST as wallets show it', async () => {
    const place = await begin()
    const { client, chain, market } = place
    const [operator, by] = [walletOf(chain.operator), chain.operator.publicKey.toBase58()]
    await goLong(place, 'ann', 5n)
    fund(place, 'bob', 100n)
    await client.execute('wrap', { coupon: 'hourly', owner: idOf('bob'), jlp: 100n * ONE }, as('bob'))
    const { terms } = (await client.market(market)).data
    const { feeBps, lpShareBps, insuranceShareBps, guardBps, forcedBps, openInterestBps, penaltyBps } = terms
    const wanted = {
      feeBps: feeBps + 1,
      lpShareBps,
      insuranceShareBps,
      guardBps,
      forcedBps,
      openInterestBps,
      penaltyBps,
    }
    await client.execute('proposeTerms', { market, by, terms: wanted }, operator)
    const { keeper, events } = keeperOn(place, 'keeper', { leastCollected: 1n })
    const treasury = jlpOf(place, by)
    const { fees } = (await client.market(market)).data
    await keeper.round()
    expect(told(events)).toEqual(['fees done'])
    expect(jlpOf(place, by) - treasury).toBe(fees)
    later(place, 24 * HOUR - 1)
    await keeper.round()
    expect((await client.market(market)).data.terms.feeBps).toBe(feeBps)
    later(place, 1)
    await keeper.round()
    expect((await client.market(market)).data.terms.feeBps).toBe(feeBps + 1)
    expect(told(events).filter(one => !one.startsWith('accrue'))).toEqual(['fees done', 'sync done', 'terms done'])
    const mint = chain.account(addressOf('StMint', { kind: 'hourly' }))!
    const { discount } = await client.index('hourly')
    expect(mint.data.readDoubleLE(218)).toBeCloseTo(2 ** 64 / Number(discount), 12)
  })
})

describe("Jupiter's account", () => {
  const { setAccount } = LiteSvm.prototype
  afterEach(() => {
    LiteSvm.prototype.setAccount = setAccount
  })
  /** From now on what Jupiter's account holds has a byte of its layout changed. */
  const changeLayout = (): void => {
    LiteSvm.prototype.setAccount = function (this: LiteSvm, address, account) {
      if (encodeBase58(address) !== ADDRESSES.jupiterPool) return setAccount.call(this, address, account)
      const data = Uint8Array.from(account.data())
      data[0] = data[0]! ^ 1
      const changed = new Account(account.lamports(), data, account.owner(), account.executable(), account.rentEpoch())
      return setAccount.call(this, address, changed)
    }
  }

  test('with another layout stops coupons, is said in the status, and stops nothing else', async () => {
    const place = await begin()
    const { chain, market, connection } = place
    for (const name of ['ann', 'bob']) await goLong(place, name, 8n)
    await crash(place, 50_000n)
    changeLayout()
    const { keeper, events } = keeperOn(place)
    later(place, HOUR)
    await keeper.round()
    await keeper.round()
    expect(keeper.status().source.hourly).toContain('bad-source')
    // Of each kind it is said once, and nothing was sent.
    expect(events.map(({ what, result, signature }) => [what, result, signature])).toEqual([
      ['hourly', 'failed', undefined],
      ['weekly', 'failed', undefined],
    ])
    later(place, 3 * HOUR) // only exits are open by now
    await keeper.round()
    expect(told(events)).toContain('liquidate done')
    // Without data the last discount is final a week after maturity, and not before.
    later(place, market.maturity + 7 * 86_400 - 1 - chain.now)
    await keeper.round()
    expect(told(events).filter(one => one.startsWith('settle'))).toEqual([])
    later(place, 1)
    await keeper.round()
    expect(told(events)).toContain('settle done')
    const accounts = await listAccounts(connection, 'MarginAccount')
    expect(accounts.every(({ data: { st, yt } }) => st === 0n && yt === 0n)).toBe(true)
    LiteSvm.prototype.setAccount = setAccount
    later(place, 1)
    await keeper.round()
    expect(keeper.status().source).toEqual({})
  })
})
