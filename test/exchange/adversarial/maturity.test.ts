/** Maturity: what may happen at which second, and that every claim is paid once, in whatever order. */
import { describe, expect, test } from 'vitest'
import { marketName } from '../../../amm/index.ts'
import { audit, balanceId, type Instruction } from '../../../src/exchange/index.ts'
import { DAY, HOUR, JLP, NEVER, type OpenMarket, openMarket, WEEK } from '../market.ts'
import {
  busyMarket,
  deepMarket,
  deficitOf,
  endow,
  fundOf,
  lose,
  oneOfEach,
  plant,
  plantLong,
  probe,
  push,
  quick,
  release,
  sink,
} from './stress.ts'

const GROUPS = {
  open: ['long', 'long spot', 'short', 'split', 'buy-pt', 'add-liquidity'],
  owing: ['withdraw owing', 'transfer owing'],
  exit: ['reduce', 'close', 'sell-pt', 'remove-liquidity', 'liquidate', 'take-over', 'reduce-fund'],
  before: ['deposit', 'open-account', 'withdraw spot', 'transfer spot', 'merge spot'],
  after: ['settle', 'redeem-pt'],
  always: ['collect', 'close-account', 'collect-fees', 'wrap'],
} as const
type Group = keyof typeof GROUPS
type Moment = 'fresh' | 'coupon-due' | 'reduce-only' | 'matured'

/** The table of docs/protocol.md section 12: what an instruction says at a moment, after or before T by the clock. */
const expected = (group: Group, name: string, moment: Moment, clockOver: boolean, paused: boolean): string => {
  if (moment === 'matured') {
    if (group === 'open') return 'matured'
    const paid = ['withdraw owing', 'withdraw spot', 'remove-liquidity']
    return ['after', 'always'].includes(group) || paid.includes(name) ? 'applied' : 'matured'
  }
  if (group === 'after') return 'not-matured'
  if (group === 'always' || group === 'before') return 'applied'
  if (group === 'open') return clockOver ? 'matured' : paused ? 'paused' : moment === 'fresh' ? 'applied' : moment
  if (group === 'owing') return moment === 'fresh' ? 'applied' : moment
  return moment === 'coupon-due' ? 'coupon-due' : 'applied'
}

/** Asks every instruction at this moment and compares with the table. */
const compare = (m: OpenMarket, moment: Moment, paused = false): void => {
  const all = oneOfEach(m)
  expect(Object.values(GROUPS).flat().sort()).toEqual(Object.keys(all).sort())
  const clockOver = m.now >= m.market().maturity
  const [found, wanted]: Record<string, string>[] = [{}, {}]
  for (const [group, names] of Object.entries(GROUPS)) {
    for (const name of names) {
      found![name] = probe(m, all[name]!)
      wanted![name] = expected(group as Group, name, moment, clockOver, paused)
    }
  }
  expect(found).toEqual(wanted)
}

describe('every instruction at every moment (I22)', () => {
  /** Hourly, the index paid up to an hour before T; or weekly, up to three days before. */
  const near = (kind: 'hourly' | 'weekly'): OpenMarket => {
    const m = busyMarket(kind === 'hourly' ? { days: 1 } : { name: 'JLP-2411-W', days: 10 })
    m.auditing = false
    m.pass(m.market().maturity - HOUR - m.now + 300, 0.2)
    if (kind === 'hourly') expect(m.ledger.indices.hourly.lastStep).toBe(m.market().maturity - HOUR)
    else expect(m.ledger.indices.weekly.lastStep).toBe(m.market().maturity - 3 * DAY)
    return m
  }
  const at = (m: OpenMarket, seconds: number): OpenMarket => {
    const copy = m.fork()
    copy.now = copy.market().maturity + seconds
    sink(copy)
    copy.check()
    return copy
  }

  test.each([
    [-300, 'fresh'],
    [-1, 'fresh'],
    [0, 'fresh'],
    [1, 'fresh'],
    [299, 'fresh'],
    [300, 'coupon-due'],
    [301, 'coupon-due'],
    [300 + 2 * HOUR - 1, 'coupon-due'],
    [300 + 2 * HOUR, 'reduce-only'],
    [3 * DAY, 'reduce-only'],
  ] as const)('T087 I22: hourly, %i s from maturity, the last hour not yet paid: %s', (seconds, moment) => {
    compare(at(near('hourly'), seconds), moment)
  })

  test.each([
    [-1, 'fresh'],
    [0, 'fresh'],
    [1, 'fresh'],
    [5 * DAY - 1, 'fresh'],
    [5 * DAY, 'reduce-only'],
  ] as const)('T087 I22: weekly, %i s from maturity, no new print: %s', (seconds, moment) => {
    compare(at(near('weekly'), seconds), moment)
  })

  test.each([-2 * DAY, -1, 0, 1, 5 * DAY])(
    'T087 I22: weekly, %i s from maturity, a newer print to be paid',
    seconds => {
      const m = at(near('weekly'), seconds)
      m.weeklyUpdatedAt = m.ledger.indices.weekly.lastStep + 1
      compare(m, 'coupon-due')
    },
  )

  test.each([
    [-HOUR - 1, 'fresh'],
    [0, 'fresh'],
    [299, 'fresh'],
    [300, 'coupon-due'],
    [300 + 2 * HOUR - 1, 'coupon-due'],
    [300 + 2 * HOUR, 'reduce-only'],
  ] as const)('T087 T106 I22: days before maturity, %i s after an hour was due: %s', (seconds, moment) => {
    const m = busyMarket({ days: 40 })
    m.pass(2 * HOUR, 0.2)
    m.now = m.ledger.indices.hourly.lastStep + HOUR + seconds
    sink(m)
    compare(m, moment)
  })

  test.each([-1, 1])('T087 P7: in a pause, %i s from maturity, exits stay open', seconds => {
    const m = at(near('hourly'), seconds)
    m.must({ kind: 'pause', by: 'pauser' })
    compare(m, 'fresh', true)
  })

  test.each([300, 301, 30 * DAY])('T087 T088 I22: hourly, %i s after maturity, all paid: matured', seconds => {
    const m = near('hourly')
    sink(m)
    m.mature(0.2)
    m.now = m.market().maturity + seconds
    compare(m, 'matured')
  })

  test('T087 T088 I22: weekly, a print after maturity, paid: matured', () => {
    const m = near('weekly')
    sink(m)
    m.mature(0.2)
    compare(m, 'matured')
  })

  test('T088: after maturity nothing can be minted, earned, provided, ordered, deposited or rolled into', () => {
    const m = busyMarket({ days: 1 })
    const next = 'JLP-2412'
    m.must({
      kind: 'create-market',
      by: 'mal',
      coupon: 'hourly',
      maturity: m.market().maturity + 28 * DAY,
      rate: m.pool().rate,
    })
    m.must({ kind: 'open-account', market: next, owner: 'bob', sub: 0 })
    m.must({ kind: 'deposit', market: next, owner: 'bob', sub: 0, jlp: JLP })
    m.mature(0.2)
    const bounds = { limitRate: 1n << 65n, closeLimitRate: 0n, minimum: 0n, deadline: NEVER }
    const amount = { yt: JLP }
    const dead: Instruction[] = [
      m.order('ann', 'long', { yt: JLP }),
      m.order('bob', 'long', { yt: JLP }, { spot: true }),
      m.order('shy', 'short', { yt: JLP }),
      m.order('ann', 'close'),
      { kind: 'split', ...m.ref('bob'), yt: 1n },
      { kind: 'merge', ...m.ref('bob'), yt: 1n },
      m.ptOrder('bob', 'buy-pt', { st: JLP }),
      m.ptOrder('bob', 'sell-pt', { pt: JLP }),
      m.adding('lp', 50, 13_860, 10n ** 9n),
      { kind: 'deposit', ...m.ref('ann'), jlp: 1n },
      { kind: 'open-account', ...m.ref('late') },
      { kind: 'transfer', ...m.ref('bob'), to: m.ref('ann'), margin: 1n, yt: 0n },
      { kind: 'roll', ...m.ref('ann'), to: { market: next, owner: 'ann', sub: 0 }, amount, ...bounds },
      { kind: 'reduce-fund', market: m.id, yt: 1n },
    ]
    for (const instruction of dead)
      expect([instruction.kind, m.refusal(instruction)]).toEqual([instruction.kind, 'matured'])
  })
})

// ---- claims ------------------------------------------------------------------------------------------------------------

/** Everything that somebody may claim after maturity, tried in turn until nothing more is paid. */
const claimAll = (m: OpenMarket, owners: readonly string[]): void => {
  const { id } = m
  for (let waiting = [...owners]; waiting.length > 0; ) {
    const left: string[] = []
    for (const owner of waiting) if (!claim(m, id, owner)) left.push(owner)
    if (left.length === waiting.length) throw new Error(`nobody is paid: ${left.join(', ')}`)
    waiting = left
  }
}

/** Claims all of one owner's; false if some of it has to wait for others. */
const claim = (m: OpenMarket, id: string, owner: string): boolean => {
  let done = true
  for (const { market, owner: lp, position } of [...m.ledger.positions.values()]) {
    if (market !== id || lp !== owner || position.liquidity === 0n) continue
    const removed = quick(m, m.removing(owner, position.lower, position.upper))
    if (removed === 'backing') {
      done = false // what backs a debtor stays until he is settled
      continue
    }
    if (removed !== 'applied') throw new Error(`removal refused: ${removed}`)
    const ref = { market, owner, lower: position.lower, upper: position.upper }
    quick(m, { kind: 'collect', ...ref })
    quick(m, { kind: 'close-position', ...ref })
  }
  const pt = m.pt(owner)
  if (pt > 0n && quick(m, { kind: 'redeem-pt', market: id, owner, pt }) !== 'applied') throw new Error('PT refused')
  if (m.ledger.accounts.has(`${id}/${owner}/0`)) {
    quick(m, { kind: 'settle', ...m.ref(owner) })
    const { margin } = m.account(owner)
    if (margin > 0n) {
      const outcome = quick(m, { kind: 'withdraw', ...m.ref(owner), jlp: margin })
      if (outcome !== 'applied') {
        if (outcome === 'awaiting-settlement') done = false
        else {
          // Cut: what is left of it can be taken, found by trying.
          let [low, high] = [0n, margin]
          while (high - low > 1n) {
            const middle = (low + high) / 2n
            if (probe(m, { kind: 'withdraw', ...m.ref(owner), jlp: middle }) === 'applied') low = middle
            else high = middle
          }
          if (low > 0n) quick(m, { kind: 'withdraw', ...m.ref(owner), jlp: low })
        }
      }
    }
  }
  return done
}

/** A fixed shuffle. */
const shuffled = <T>(items: readonly T[], seed: number): T[] => {
  const out = [...items]
  let state = seed * 2_654_435_761 + 12_345
  for (let i = out.length - 1; i > 0; i--) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    const j = state % (i + 1)
    ;[out[i], out[j]] = [out[j]!, out[i]!]
  }
  return out
}

/** A market with so many claimants of each sort, matured, nothing claimed; `missing` JLP are lost beside. */
const full = (
  each: number,
  missing: 'nothing' | 'little' | 'more than LPs have',
): { m: OpenMarket; owners: string[] } => {
  const named = (sort: string): string[] => Array.from({ length: each }, (_, i) => `${sort}${i}`)
  const [longs, shorts, savers, splitters, lps] = ['long', 'short', 'saver', 'splitter', 'lp'].map(named)
  const owners = [...longs!, ...shorts!, ...savers!, ...splitters!, ...lps!]
  const m = openMarket({
    days: 60,
    apy: '20%',
    wallets: [...owners, 'bank'],
    balance: 10n ** 13n,
    liquidity: lps!.map((owner, i) => ({ owner, lower: 500, upper: 3000 + 10 * i, jlp: (2000n + BigInt(i)) * JLP })),
  })
  m.auditing = false
  longs!.forEach((owner, i) => {
    m.fund(owner, 30n * JLP + BigInt(i))
    m.must(m.order(owner, 'long', { yt: (20n + BigInt(i % 5)) * JLP + 7n }))
  })
  shorts!.forEach((owner, i) => {
    m.fund(owner, 40n * JLP + BigInt(i))
    m.must(m.order(owner, 'short', { yt: (11n + BigInt(i % 7)) * JLP + 3n }))
  })
  savers!.forEach((owner, i) => {
    m.must(m.ptOrder(owner, 'buy-pt', { st: (31n + BigInt(i)) * JLP + 1n }))
  })
  splitters!.forEach((owner, i) => {
    m.fund(owner, BigInt(i))
    m.must({ kind: 'split', ...m.ref(owner), yt: (5n + BigInt(i)) * JLP + 11n })
  })
  m.pass(25 * DAY, 0.31)
  for (const owner of longs!.slice(0, each / 2)) m.must(m.order(owner, 'reduce', { yt: 9n * JLP + 1n }))
  m.mature(0.31)
  if (missing !== 'nothing') {
    const copy = m.fork()
    quick(copy, { kind: 'collect-fees', market: m.id })
    // LPs' equity at maturity is what they would be paid.
    const before = lps!.reduce((sum, lp) => sum + copy.balance(lp), 0n)
    claimAll(copy, owners)
    const paid = lps!.reduce((sum, lp) => sum + copy.balance(lp), 0n) - before
    m.must({ kind: 'settle', ...m.ref(longs![0]!) })
    lose(m, missing === 'little' ? paid / 10n : paid + JLP)
    m.must({ kind: 'settle', ...m.ref(longs![0]!) }) // the fund pays its part at once
  }
  m.check()
  return { m, owners }
}

const paidTo = (m: OpenMarket, owners: readonly string[]): Map<string, bigint> => {
  return new Map(owners.map(owner => [owner, m.balance(owner)]))
}

/** Claims in many orders: what each owner is paid at least and at most, and the market left over. */
const manyOrders = (m: OpenMarket, owners: readonly string[], orders: number): { spread: bigint; last: OpenMarket } => {
  const low = new Map<string, bigint>()
  const high = new Map<string, bigint>()
  let last = m
  for (let seed = 1; seed <= orders; seed++) {
    last = m.fork()
    claimAll(last, shuffled(owners, seed))
    for (const [owner, paid] of paidTo(last, owners)) {
      if (paid < (low.get(owner) ?? paid + 1n)) low.set(owner, paid)
      if (paid > (high.get(owner) ?? -1n)) high.set(owner, paid)
    }
  }
  last.check()
  const spread = owners.reduce((most, owner) => {
    const apart = high.get(owner)! - low.get(owner)!
    return apart > most ? apart : most
  }, 0n)
  return { spread, last }
}

describe('claims after maturity', () => {
  test('T089 I23: settling, redeeming and withdrawing pay once, a hundred times over', () => {
    const { m, owners } = full(2, 'nothing')
    m.auditing = true
    for (const owner of owners)
      if (m.ledger.accounts.has(`${m.id}/${owner}/0`)) m.must({ kind: 'settle', ...m.ref(owner) })
    const settled = { ...m.ledger.accounts.get(`${m.id}/long0/0`)! }
    const { vault, totals, retired } = m.market()
    for (let i = 0; i < 100; i++) m.must({ kind: 'settle', ...m.ref('long0') })
    expect(m.ledger.accounts.get(`${m.id}/long0/0`)).toEqual(settled)
    expect(m.market()).toMatchObject({ vault, totals, retired })
    claimAll(m, owners)
    const paid = paidTo(m, owners)
    for (let i = 0; i < 20; i++) {
      for (const owner of owners) {
        expect(probe(m, { kind: 'redeem-pt', market: m.id, owner, pt: 1n })).toBe('insufficient-balance')
        if (m.ledger.accounts.has(`${m.id}/${owner}/0`)) {
          expect(quick(m, { kind: 'settle', ...m.ref(owner) })).toBe('applied')
          expect(probe(m, { kind: 'withdraw', ...m.ref(owner), jlp: 1n })).not.toBe('applied')
        }
      }
    }
    expect(paidTo(m, owners)).toEqual(paid)
  })

  test.each([
    ['nothing', 20, 8],
    ['nothing', 2, 1000],
    ['little', 20, 8],
    ['little', 2, 300],
    ['more than LPs have', 20, 8],
    ['more than LPs have', 2, 300],
  ] as const)(
    'T090 T091 I23: with %s missing, %i claimants of each of five sorts in %i orders: what each is paid does not depend on the order',
    (missing, each, orders) => {
      const { m, owners } = full(each, missing)
      expect(owners.length).toBe(5 * each)
      const { spread, last } = manyOrders(m, owners, orders)
      // A standing deficit is shared by what LPs have, the market's 1,000 atoms of dust included: up to a tenth of these, or all.
      expect(spread).toBeLessThanOrEqual({ nothing: 1n, little: 120n, 'more than LPs have': 1100n }[missing])

      // The last one was paid in full, and what is left are fees, the fund, the dust and what nobody could be paid with.
      const { vault, fees, fund, totals, pool } = last.market()
      expect(totals).toMatchObject({ margin: fund.margin, st: 0n, yt: 0n, pt: 0n, issued: 0n, open: 0, debtors: 0 })
      const left = vault - fees - fund.margin + pool.deficit
      expect(left).toBeGreaterThanOrEqual(0n)
      expect(left).toBeLessThanOrEqual(1000n + 3n * BigInt(owners.length))
      last.must({ kind: 'collect-fees', market: last.id })
    },
  )

  test('T090 I20: profits are cut for what LPs cannot bear, PT and deposits are not', () => {
    const { m, owners } = full(4, 'more than LPs have')
    const free = full(4, 'nothing')
    claimAll(free.m, free.owners)
    const deposits = new Map(
      owners.map(o => [o, m.ledger.accounts.has(`${m.id}/${o}/0`) ? m.account(o).netDeposits : 0n] as const),
    )
    const before = paidTo(m, owners)
    claimAll(m, owners)
    let cut = 0n
    for (const owner of owners) {
      const [paid, whole] = [m.balance(owner), free.m.balance(owner)]
      if (owner.startsWith('saver')) expect(paid).toBe(whole)
      if (owner.startsWith('long') || owner.startsWith('short')) {
        cut += whole - paid
        const due = whole - before.get(owner)!
        const kept = deposits.get(owner)! < due ? deposits.get(owner)! : due
        expect(paid - before.get(owner)!).toBeGreaterThanOrEqual(kept)
      }
      if (owner.startsWith('splitter')) cut += whole - paid
    }
    expect(cut).toBeGreaterThanOrEqual(JLP - 5000n) // a JLP more than LPs had; dust and roundings count as theirs
    expect(cut).toBeLessThanOrEqual(JLP + 1000n)
  })

  test('T091 I16: collecting first gives an LP no advantage while a deficit stands', () => {
    const paid = (first: boolean): bigint[] => {
      const { m, owners } = full(2, 'little')
      const [before0, before1] = [m.balance('lp0'), m.balance('lp1')]
      if (first) m.must({ kind: 'collect', market: m.id, owner: 'lp0', lower: 500, upper: 3000 })
      claimAll(m, owners)
      return [m.balance('lp0') - before0, m.balance('lp1') - before1]
    }
    const [fair, early] = [paid(false), paid(true)]
    for (const i of [0, 1]) {
      const apart = fair[i]! - early[i]!
      expect(apart < 0n ? -apart : apart).toBeLessThanOrEqual(120n) // of 400 JLP; see above
    }
  })

  test('T092: nobody redeems, merges or withdraws what is another’s', () => {
    const m = busyMarket({ days: 1 })
    m.fund('mal', JLP)
    const pt = m.pt('bob')
    expect(pt).toBeGreaterThan(0n)
    const steal = (): void => {
      expect(['insufficient-balance', 'not-matured']).toContain(
        m.refusal({ kind: 'redeem-pt', market: m.id, owner: 'mal', pt: 1n }),
      )
      expect(['insufficient-yt', 'matured']).toContain(m.refusal({ kind: 'merge', ...m.ref('mal'), yt: 1n }))
      expect(m.refusal({ kind: 'withdraw', ...m.ref('mal'), jlp: JLP + 1n })).not.toBe('applied')
      expect(m.refusal({ kind: 'redeem-pt', market: m.id, owner: 'mal', pt: -1n })).not.toBe('applied')
    }
    steal()
    m.mature(0.2)
    steal()
    expect(m.pt('bob')).toBe(pt)
    m.must({ kind: 'redeem-pt', market: m.id, owner: 'bob', pt })
    expect(m.refusal({ kind: 'redeem-pt', market: m.id, owner: 'bob', pt: 1n })).toBe('insufficient-balance')
  })

  test('T093: a market that was never created takes nothing, whatever is asked of it', () => {
    const m = busyMarket({ days: 2 })
    const before = m.ledger.markets.size
    for (const name of ['JLP-2412', 'JLP-2411-w', 'jlp-2411', '', '__proto__', 'constructor']) {
      for (const instruction of Object.values(oneOfEach(m))) {
        if (!('market' in instruction)) continue
        const to = { market: name, owner: 'ann', sub: 0 }
        expect(m.refusal({ ...instruction, to, market: name } as Instruction)).toBe('unknown-market')
      }
    }
    expect(m.ledger.markets.size).toBe(before)
  })

  test('T094: PT, YT and liquidity are no deposit: only JLP of the wallet is margin', () => {
    const m = busyMarket({ days: 30 })
    m.must(m.ptOrder('bob', 'buy-pt', { st: 50n * JLP }))
    m.ledger.balances.set(balanceId('jlp', 'bank'), m.balance('bank') + m.balance('bob'))
    m.ledger.balances.set(balanceId('jlp', 'bob'), 0n)
    expect(m.pt('bob')).toBeGreaterThan(0n)
    expect(m.refusal({ kind: 'deposit', ...m.ref('bob'), jlp: 1n })).toBe('insufficient-balance')
    expect(m.refusal({ kind: 'split', ...m.ref('bob'), yt: 1n })).toBe('insufficient-balance')
    expect(m.refusal(m.ptOrder('bob', 'buy-pt', { st: 1n }))).toBe('insufficient-balance')
  })

  test('T095 I24: the last coupon six hours late: exits stay open, nothing is settled before it, and T is paid its part', () => {
    const m = busyMarket({ days: 1 })
    m.auditing = false
    const { maturity } = m.market()
    m.pass(maturity - HOUR - m.now + 300, 0.2)
    const { discount } = m.ledger.indices.hourly
    m.now = maturity + 6 * HOUR
    expect(m.refusal({ kind: 'settle', ...m.ref('ann') })).toBe('not-matured')
    expect(m.refusal({ kind: 'redeem-pt', market: m.id, owner: 'bob', pt: 1n })).toBe('not-matured')
    expect(m.refusal({ kind: 'finalise', coupon: 'hourly', maturity })).toBe('too-early')
    m.must(m.order('ann', 'reduce', { yt: JLP }))
    expect(m.pool().discount).toBe(discount) // never extrapolated
    // Six hours in one step, one of which lies before T.
    const earned = { to: maturity + 5 * HOUR, fees: 60_000n, aum: 10n ** 9n }
    m.must({ kind: 'accrue', coupon: 'hourly', earned })
    m.must({ kind: 'settle', ...m.ref('ann') })
    const part = (discount * 10n ** 9n + (10n ** 9n + 10_000n) - 1n) / (10n ** 9n + 10_000n)
    expect(m.pool().discount).toBe(part)
    m.check()
  })

  test('T095 I24: never: a week after T the last discount is final, not a second earlier, and once', () => {
    for (const name of ['JLP-2411', 'JLP-2411-W']) {
      const m = busyMarket({ name, days: 10 })
      m.auditing = false
      const { maturity, kind } = m.market()
      m.pass(5 * DAY, 0.2)
      const { discount } = m.ledger.indices[kind]
      const finalise = { kind: 'finalise', coupon: kind, maturity } as const
      m.now = maturity + WEEK - 1
      expect(m.refusal(finalise)).toBe('too-early')
      expect(m.refusal({ kind: 'settle', ...m.ref('ann') })).toBe('not-matured')
      m.wait(1)
      m.must(finalise)
      expect(m.pool()).toMatchObject({ tauSeconds: 0, discount })
      claimAll(m, ['ann', 'shy', 'bob', 'lp'])
      m.check()
      // A late coupon moves the index, not what is final.
      const to = kind === 'hourly' ? m.ledger.indices.hourly.lastStep + 7 * DAY : m.now
      m.weeklyUpdatedAt = m.now
      m.must({ kind: 'accrue', coupon: kind, earned: { to, fees: 10n ** 6n, aum: 10n ** 9n } })
      expect(m.ledger.indices[kind].discount).toBeLessThan(discount)
      expect(m.pool()).toMatchObject({ tauSeconds: 0, discount })
    }
  })

  test('T096: a name is used once: a market cannot be created again, before or after its maturity', () => {
    const m = busyMarket({ days: 1 })
    const { maturity } = m.market()
    const again = { kind: 'create-market', by: 'mal', coupon: 'hourly', maturity, rate: m.pool().rate } as const
    expect(m.refusal(again)).toBe('market-exists')
    m.mature(0.2)
    expect(m.refusal(again)).toBe('matured')
    expect(m.refusal({ ...again, maturity: maturity + 1 })).toBe('matured')
    m.now = maturity + HOUR
    for (const off of [1, DAY, 7 * DAY]) {
      expect(m.refusal({ ...again, maturity: maturity + off + 30 * DAY })).not.toBe('applied')
    }
    const later = maturity + 28 * DAY
    expect(marketName(later, 'hourly')).toBe('JLP-2412')
    m.must({ ...again, maturity: later })
    claimAll(m, ['ann', 'shy', 'bob', 'lp'])
    m.check()
  })

  test('T097: a debtor who refuses to settle is settled by anyone, and pays the last coupon and his loss', () => {
    const m = busyMarket({ days: 10 })
    m.fund('ann', 0n)
    const before = m.account('ann')
    m.auditing = false
    m.mature(0.5)
    const { discount } = m.pool()
    // Winners wait for him with their profit, not with their deposit.
    m.must({ kind: 'settle', ...m.ref('shy') })
    const shy = m.account('shy')
    if (shy.margin > shy.netDeposits) {
      expect(m.refusal({ kind: 'withdraw', ...m.ref('shy'), jlp: shy.margin })).toBe('awaiting-settlement')
    }
    m.must({ kind: 'settle', ...m.ref('ann') }) // signed by nobody in particular
    const coupon = (before.yt * (before.discount - discount)) >> 64n
    expect(m.account('ann')).toMatchObject({ st: 0n, yt: 0n, margin: before.margin + before.st + coupon })
    for (const owner of ['shy', 'ann']) {
      m.must({ kind: 'settle', ...m.ref(owner) })
      const { margin } = m.account(owner)
      if (margin > 0n) m.must({ kind: 'withdraw', ...m.ref(owner), jlp: margin })
    }
    m.check()
  })

  test('T098 I23: ten thousand accounts settled with interruptions: each once, at the same cost however many there are', () => {
    const m = deepMarket({ days: 1 })
    m.auditing = false
    const count = 10_000
    for (let i = 0; i < count; i++) {
      const yt = BigInt(i + 1) * 1000n
      if (i % 2 === 0) plant(m, `a${i}`, { yt, st: -yt / 100n, margin: yt, netDeposits: yt })
      else plant(m, `a${i}`, { yt: -yt, st: yt, margin: yt, netDeposits: yt })
    }
    // As many YT on both sides, or more shorts, which LPs hold the other side of.
    const net = m.market().totals.yt
    expect(net).toBeLessThan(0n)
    plant(m, 'level', { yt: -net, st: net / 100n, margin: -net })
    m.mature(0.2)
    m.check()
    const order = shuffled(
      Array.from({ length: count }, (_, i) => i),
      7,
    )
    const started = performance.now()
    let crashed = 0
    for (const i of order) {
      const call = { kind: 'settle', ...m.ref(`a${i}`) } as const
      if (i % 97 === 0) {
        probe(m, call) // worked out, then killed before it was written
        crashed += 1
      }
      if (quick(m, call) !== 'applied') throw new Error(`a${i}`)
      if (i % 89 === 0) quick(m, call) // sent twice
    }
    expect(crashed).toBeGreaterThan(100)
    expect(performance.now() - started).toBeLessThan(5000)
    expect(m.market().totals).toMatchObject({ open: 1, debtors: 1 })
    m.must({ kind: 'settle', ...m.ref('level') })
    expect(m.market().totals).toMatchObject({ open: 0, debtors: 0 })
    m.check()
  })

  test('T099 I5: one atom less in the vault than is claimed is named by the audit, and nobody is paid out of nothing', () => {
    const m = busyMarket({ days: 1 })
    m.mature(0.2)
    const dust = m.dust().jlp >> 64n
    const market = m.ledger.markets.get(m.id)!
    m.ledger.markets.set(m.id, { ...market, vault: market.vault - dust })
    expect(audit(m.ledger).violations).toEqual([])
    m.ledger.markets.set(m.id, { ...market, vault: market.vault - dust - 1n })
    expect(audit(m.ledger).violations.map(({ id }) => id)).toContain('JLP')
    m.ledger.markets.set(m.id, { ...market, vault: 999n })
    expect(probe(m, { kind: 'redeem-pt', market: m.id, owner: 'bob', pt: 2000n })).toBe('vault-short')
  })

  test('T100: what is changed after maturity changes no claim', () => {
    const plain = full(2, 'nothing')
    const changed = plain.m.fork()
    const terms = { ...changed.market().terms, feeBps: 100, penaltyBps: 500 }
    changed.must({ kind: 'propose-terms', by: 'authority', market: changed.id, terms })
    changed.wait(DAY)
    changed.must({ kind: 'apply-terms', market: changed.id })
    changed.must({ kind: 'collect-fees', market: changed.id })
    changed.pass(40 * DAY, 0.5) // coupons after T are not this market's
    claimAll(plain.m, plain.owners)
    claimAll(changed, plain.owners)
    expect(paidTo(changed, plain.owners)).toEqual(paidTo(plain.m, plain.owners))
    changed.check()
  })

  test('T079 I20: the fund’s money is spent before LPs and profits bear anything', () => {
    const { m, owners } = full(2, 'nothing')
    endow(m, 50n * JLP)
    const fund = fundOf(m).margin
    lose(m, 20n * JLP)
    m.must({ kind: 'settle', ...m.ref('long0') })
    expect(deficitOf(m)).toBe(0n)
    expect(fund - fundOf(m).margin).toBe(20n * JLP)
    claimAll(m, owners)
    m.check()
  })

  test('T035 T084: liquidations and a push just before T leave nobody unpaid', () => {
    const m = busyMarket({ days: 1 })
    m.auditing = false
    m.pass(m.market().maturity - HOUR - m.now + 300, 0.2)
    plantLong(m, 'vic', 1000n * JLP, 10_200n)
    push(m, 'mal', -(50n * JLP))
    m.wait(600)
    quick(m, { kind: 'take-over', ...m.ref('vic') })
    release(m, 'mal', -(50n * JLP))
    m.mature(0.2)
    claimAll(m, ['ann', 'shy', 'bob', 'lp', 'vic', 'cover-vic', 'mal'])
    m.check()
    expect(m.market().totals).toMatchObject({ open: 0, debtors: 0, pt: 0n, issued: 0n })
  })
})
