/** Those who look for a gain that is not theirs: around coupons, around trades of others and of the fund, in dust, by age, by name. */
import { type Actor, accountIn, addLiquidity, fund, loose, openLevered, type Scene } from './exchange-actors.ts'
import { type AccountRef, abs, type Market, max, Q64 } from './exchange-engine.ts'
import { forceClose, payHourly } from './exchange-keepers.ts'

const liveAndFresh = ({ desk }: Scene): Market | undefined => {
  const fit = desk.live().filter(m => desk.freshness(m.kind) === 'fresh' && desk.now < m.maturity)
  return fit.length === 0 ? undefined : desk.random.pick(fit)
}

const closeAll = (scene: Scene, ref: AccountRef): void => {
  const { desk } = scene
  const account = desk.account(ref)
  if (account === undefined || account.yt === 0n) return
  desk.run({ kind: 'trade', action: 'close', ...ref, ...loose(desk, account.yt < 0n) })
}

/** 10x long and 10x short right before a print, both closed right after; what fails is liquidated. */
export const pairTrader: Actor = (scene, who) => {
  const { desk } = scene
  const market = liveAndFresh(scene)
  if (market === undefined || market.kind !== 'hourly') return
  const [long, short] = [2, 3].map(sub => accountIn(desk, market, who, sub))
  const margin = desk.some(scene.size / 20n + 1000n)
  for (const ref of [long!, short!]) fund(desk, ref, margin)
  if (desk.now - market.oracle.startedAt < 300) desk.now += 300
  const opened = openLevered(scene, long!, 'long', margin, 97) && openLevered(scene, short!, 'short', margin, 97)
  if (!opened && desk.chance(50)) return
  desk.now = max2(desk.now, desk.ledger.indices.hourly.lastStep + 3900 + desk.random.int(0, 600))
  payHourly(scene)
  for (const ref of desk.chance(50) ? [long!, short!] : [short!, long!]) {
    closeAll(scene, ref)
    const left = desk.account(ref)
    if (left !== undefined && left.yt !== 0n) forceClose(desk, ref, who)
  }
}

const max2 = (a: number, b: number): number => (a > b ? a : b)

/** In front of somebody's trade, and back behind it. */
export const sandwicher =
  (victim: Actor): Actor =>
  (scene, who) => {
    const { desk } = scene
    const market = liveAndFresh(scene)
    if (market === undefined) return
    const ref = accountIn(desk, market, who)
    const margin = fund(desk, ref, scene.size)
    const up = desk.chance(50)
    const st = max(desk.some(margin) / 2n, 1n)
    const pt = `pt/${market.id}` as const
    const before = desk.wallet(pt, who)
    if (up) desk.run({ kind: 'trade', action: 'long', spot: true, ...ref, amount: { st }, ...loose(desk, true) })
    else desk.run({ kind: 'buy-pt', market: market.id, owner: who, amount: { st: st * 4n }, ...loose(desk, false) })
    victim(scene, 'victim')
    if (up) return closeAll(scene, ref)
    const bought = desk.wallet(pt, who) - before
    if (bought > 0n)
      desk.run({ kind: 'sell-pt', market: market.id, owner: who, amount: { pt: bought }, ...loose(desk, true) })
  }

/** Pushes the rate in front of a reduction of the fund's position. */
export const fundSandwicher: Actor = (scene, who) => {
  const { desk } = scene
  const withFund = desk.live().filter(m => m.fund.yt !== 0n && desk.freshness(m.kind) === 'fresh')
  if (withFund.length === 0) return
  const market = desk.random.pick(withFund)
  const size = abs(market.fund.yt)
  return sandwicher(() => desk.run({ kind: 'reduce-fund', market: market.id, yt: desk.some(size) }))(scene, who)
}

/** Round and round with the smallest amounts. */
export const dustLooper: Actor = (scene, who) => {
  const { desk } = scene
  const market = liveAndFresh(scene)
  if (market === undefined) return
  const ref = accountIn(desk, market, who)
  fund(desk, ref, 10_000n)
  const n = desk.random.big(1n, 30n)
  for (let i = 0; i < 3; i++) {
    const yt = desk.account(ref)?.yt ?? 0n
    const pt = desk.wallet(`pt/${market.id}`, who)
    const act = desk.random.int(0, 6)
    if (act === 0 && yt >= 0n) {
      desk.run({ kind: 'trade', action: 'long', spot: true, ...ref, amount: { yt: n }, ...loose(desk, true) })
    } else if (act === 1 && yt <= 0n) {
      desk.run({ kind: 'trade', action: 'short', spot: true, ...ref, amount: { yt: n }, ...loose(desk, false) })
    } else if (act === 2 && yt !== 0n) {
      const amount = { yt: n < abs(yt) ? n : abs(yt) }
      desk.run({ kind: 'trade', action: 'reduce', ...ref, amount, ...loose(desk, yt < 0n) })
    } else if (act === 3) desk.run({ kind: 'split', ...ref, yt: n })
    else if (act === 4 && yt > 0n && pt > 0n) desk.run({ kind: 'merge', ...ref, yt: 1n })
    else if (act === 5) {
      desk.run({ kind: 'buy-pt', market: market.id, owner: who, amount: { pt: n }, ...loose(desk, false) })
    } else if (pt > 0n) {
      desk.run({
        kind: 'sell-pt',
        market: market.id,
        owner: who,
        amount: { pt: n < pt ? n : pt },
        ...loose(desk, true),
      })
    }
  }
}

/** Levered to the limit, drained as far as it goes, then liquidated by its own other name. */
export const selfLiquidator: Actor = (scene, who) => {
  const { desk } = scene
  const { random } = desk
  const mine = [...desk.ledger.accounts.values()].filter(a => a.owner === who && a.yt !== 0n)
  if (mine.length > 0 && desk.chance(60)) {
    const { market, owner, sub } = random.pick(mine)
    return forceClose(desk, { market, owner, sub }, `${who}-friend`)
  }
  const market = liveAndFresh(scene)
  if (market === undefined) return
  const ref = accountIn(desk, market, who, random.int(0, 2))
  const account = desk.account(ref)
  if (account === undefined) return
  const side = account.yt < 0n || (account.yt === 0n && desk.chance(50)) ? 'short' : 'long'
  const margin = fund(desk, ref, desk.some(scene.size / 10n + 1000n))
  openLevered(scene, ref, side, margin, 99)
  for (let jlp = margin / 2n; jlp > margin / 64n && jlp > 0n; jlp /= 4n) desk.run({ kind: 'withdraw', ...ref, jlp })
}

/** Liquidity right in front of a trade, taken away right behind it if the age allowed. */
export const justInTime =
  (victim: Actor): Actor =>
  (scene, who) => {
    const { desk } = scene
    const market = liveAndFresh(scene)
    if (market === undefined || market.pool.deficit > 0n) return
    const at = Math.min(13_840, Math.max(60, 10 * Math.floor(market.pool.tick / 10)))
    const range = { lower: at - 10, upper: at + 20 }
    if (!addLiquidity(scene, who, market, range, scene.size)) return
    victim(scene, 'victim')
    accountIn(desk, market, who)
    const wait = desk.chance(70)
    if (wait) desk.now += 300
    const remove = { share: { num: 1n, den: 1n }, sub: 0, minimum: 0n, deadline: desk.now } as const
    if (desk.does({ kind: 'remove-liquidity', market: market.id, owner: who, ...range, ...remove })) {
      desk.run({ kind: 'close-position', market: market.id, owner: who, ...range })
    }
  }

/** Takes a position to a later maturity in one go. */
export const roller: Actor = (scene, who) => {
  const { desk } = scene
  const fresh = desk.live().filter(m => desk.freshness(m.kind) === 'fresh' && desk.now < m.maturity)
  const [near, far] = [fresh[0], fresh.findLast(m => m.maturity > (fresh[0]?.maturity ?? 0))]
  if (near === undefined || far === undefined) return
  const ref = accountIn(desk, near, who)
  const account = desk.account(ref)
  if (account === undefined || desk.now - far.oracle.startedAt < 300) return
  if (account.yt === 0n) {
    const margin = fund(desk, ref, desk.some(scene.size / 10n + 1000n))
    if (desk.now - near.oracle.startedAt < 300) desk.now += 300
    return void openLevered(scene, ref, desk.chance(50) ? 'long' : 'short', margin, 50)
  }
  const to = accountIn(desk, far, who)
  if ((desk.account(to)?.yt ?? 0n) !== 0n) closeAll(scene, to)
  const up = account.yt > 0n
  const amount = { st: max((account.margin * desk.random.big(1n, 30n)) / 10n, 1n) }
  const closeLimitRate = up ? 0n : Q64 * 3n
  desk.run({ kind: 'roll', ...ref, to, amount, ...loose(desk, up), closeLimitRate })
}
