/**
 * One call of every instruction of the program that succeeds, with a chain of its own on which it does. What the engine can play
 * is played by the engine and planted; what only the program does (setting up) is done by calls in front.
 *
 *     const { chain, call } = caseOf('trade')
 *     expect(chain.send(call).ok).toBe(true)
 */
import { readFileSync } from 'node:fs'
import { PublicKey, type TransactionInstruction } from '@solana/web3.js'
import { parseMarketName } from '../../amm/index.ts'
import { INSTRUCTION_NAMES, type InstructionName, PROGRAM_ID } from '../../src/client/index.ts'
import { DEFAULT_TERMS, type Instruction, liquidationOf, type Of } from '../../src/exchange/index.ts'
import { changeableOf } from '../../src/exchange/terms.ts'
import { call, callOf } from '../campaigns/program-calls.ts'
import { indexAt, marketAt, marketOf, ownerAt, walletAt } from '../campaigns/program-places.ts'
import { busyMarket, endow, quick, sink } from '../exchange/adversarial/stress.ts'
import { ANY_RATE, CONFIG, DAY, HOUR, JLP, NEVER, OpenMarket, WEEK } from '../exchange/market.ts'
import { keyOf } from './build-chain.ts'
import { LocalChain, type Outcome } from './harness.ts'
import { plant } from './plant.ts'

const ELF = readFileSync(new URL('../../programs-idl/sunder.so', import.meta.url))
/** May upgrade the program, and so set it up. */
export const UPGRADER = 'upgrader'

export interface Case {
  readonly name: InstructionName
  readonly chain: LocalChain
  readonly call: TransactionInstruction
}

// ---- scenes of the engine ---------------------------------------------------------------------------------------------

/** Two further maturities beside the first market's: one of its own index, one of the other. */
export const MARKET = 'JLP-2411'
export const LATER = 'JLP-2412'
export const WEEKLY = 'JLP-2412-W'
const RATE = (1n << 64n) / 5n // 20 %

export const WHOLE = { lower: 50, upper: 13_860 }
const STRETCHES = [WHOLE, { lower: 1500, upper: 2500 }, { lower: 2000, upper: 3710 }]

const memo = <V>(make: () => V): (() => V) => {
  let made: V | undefined
  return () => (made ??= make())
}

/** Opens a market beside the first, with liquidity and an account of `ann` and of `bob`. */
const beside = (m: OpenMarket, id: string): void => {
  const { maturity, kind } = parseMarketName(id)
  const { rate } = m.pool()
  m.must({ kind: 'create-market', by: 'creator', coupon: kind, maturity, rate })
  const other = new OpenMarket(id, m.ledger, m.world)
  for (const { lower, upper } of STRETCHES) other.provide('lp', lower, upper, 1_000_000n * JLP)
  for (const owner of ['ann', 'bob', 'lp']) other.fund(owner, owner === 'lp' ? 0n : 100n * JLP)
}

/** A market with liquidity in several stretches, longs, shorts, PT and wrapped ST; everything old enough to be traded and removed. */
export const running = memo(() => {
  const liquidity = STRETCHES.map(range => ({ ...range, jlp: 1_000_000n * JLP }))
  const m = busyMarket({ name: MARKET, liquidity, wallets: ['shy', CONFIG.treasury] })
  m.auditing = false
  beside(m, LATER)
  beside(m, WEEKLY)
  m.must({ kind: 'open-position', market: m.id, owner: 'lp', lower: 100, upper: 200 })
  m.must({ kind: 'open-position', market: m.id, owner: 'bob', lower: 100, upper: 200 })
  for (const coupon of ['hourly', 'weekly'] as const) m.must({ kind: 'wrap', owner: 'bob', coupon, jlp: 100n * JLP })
  m.must(m.ptOrder('bob', 'buy-pt', { st: 10n * JLP }))
  m.coupon(0.3)
  m.wait(360)
  return m
})

/** One account below maintenance, one below zero, and a fund that has a position. */
export const sunk = memo(() => {
  const m = running().fork()
  sink(m)
  // What the fund cannot carry it trades away.
  endow(m, JLP - m.market().fund.margin)
  return m
})

export const matured = memo(() => {
  const m = running().fork()
  m.mature(0.3)
  return m
})

/** Matured, and every LP gone. */
export const emptied = memo(() => {
  const m = matured().fork()
  for (const owner of ['ann', 'bob', 'shy']) quick(m, { kind: 'settle', ...m.ref(owner) })
  for (const { lower, upper } of STRETCHES) m.must(m.removing('lp', lower, upper))
  return m
})

const after = (m: OpenMarket, instruction: Instruction, seconds = 0): OpenMarket => {
  const next = m.fork()
  next.must(instruction)
  next.wait(seconds)
  return next
}

/** An order of ann's that can be filled for a while. */
export const resting = memo(() => {
  const m = running()
  return after(m, m.resting('ann', 'long', JLP, { fee: 1000n, expiresAt: m.now + 60 }))
})
/** The same too late. */
export const stale = memo(() => {
  const m = resting().fork()
  m.wait(61)
  return m
})

const TERMS = changeableOf(DEFAULT_TERMS.hourly)
export const paused = memo(() => after(running(), { kind: 'pause', by: CONFIG.pauser }))
export const queued = memo(() => {
  const terms = { ...TERMS, feeBps: 20 }
  return after(running(), { kind: 'propose-terms', by: CONFIG.authority, market: MARKET, terms }, DAY)
})
export const proposed = memo(() =>
  after(running(), { kind: 'propose-authority', by: CONFIG.authority, authority: 'heir' }),
)

// ---- chains -----------------------------------------------------------------------------------------------------------

/** The program, and nothing of it yet. */
export const freshChain = (now?: number): LocalChain => {
  const upgradeAuthority = keyOf(UPGRADER).publicKey
  const chain = new LocalChain({
    programId: new PublicKey(PROGRAM_ID),
    elf: ELF,
    upgradeAuthority,
    ...(now === undefined ? {} : { now }),
  })
  for (const name of [UPGRADER, 'ann', 'heir', ...Object.values(CONFIG)]) chain.wallet(name)
  return chain
}

/** A scene of the engine as it would be on a chain. */
export const chainOf = (m: OpenMarket): LocalChain => {
  const chain = freshChain(m.now)
  plant(chain, m.ledger)
  return chain
}

/** Throws unless it succeeds. */
export const must = (chain: LocalChain, instruction: TransactionInstruction): Outcome => {
  const outcome = chain.send(instruction)
  if (!outcome.ok) throw new Error(`${outcome.error?.text}\n${outcome.logs.join('\n')}`)
  return outcome
}

// ---- calls ------------------------------------------------------------------------------------------------------------

export const initConfig = (chain: LocalChain, by = UPGRADER): TransactionInstruction =>
  call(
    'initConfig',
    { payer: ownerAt(by), programData: chain.programData.toBase58() },
    { authority: ownerAt(CONFIG.authority), pauser: ownerAt(CONFIG.pauser), treasury: ownerAt(CONFIG.treasury) },
  )

export const initIndex = (coupon: 'hourly' | 'weekly'): TransactionInstruction =>
  call('initIndex', { payer: ownerAt('ann'), ...indexAt(coupon) }, { coupon })

export const initTickArray = (maturity: number, number: number): TransactionInstruction => {
  const { market, arrays } = marketOf(maturity, 'hourly')
  return call('initTickArray', { payer: ownerAt('ann'), market, tickArray: arrays[number]! }, { number })
}

export const ptPrice = (id: string): TransactionInstruction => {
  const { index, market } = marketAt(id)
  return call('ptPrice', { index, market }, {})
}

/** A call of the engine's instruction on the scene that it is for. */
const played = (m: OpenMarket, instruction: Instruction): Omit<Case, 'name'> => ({
  chain: chainOf(m),
  call: callOf(instruction, m.ledger),
})

/** The market that is created. */
export const created: Of<'create-market'> = {
  kind: 'create-market',
  by: 'creator',
  coupon: 'hourly',
  maturity: parseMarketName('JLP-2501').maturity,
  rate: RATE,
}
const pool = { market: MARKET, owner: 'lp', ...WHOLE }
const empty = { market: MARKET, owner: 'bob', lower: 100, upper: 200 }

const CASES: { readonly [N in InstructionName]: () => Omit<Case, 'name'> } = {
  initConfig: () => {
    const chain = freshChain()
    return { chain, call: initConfig(chain) }
  },
  initIndex: () => ({ chain: freshChain(), call: initIndex('hourly') }),
  createMarket: () => played(running(), created),
  initTickArray: () => {
    const { chain, call: creation } = played(running(), created)
    must(chain, creation)
    return { chain, call: initTickArray(created.maturity, 3) }
  },
  closeTickArray: () => {
    const { market, arrays } = marketAt(MARKET)
    const payer = ownerAt('creator')
    return { chain: chainOf(emptied()), call: call('closeTickArray', { payer, market, tickArray: arrays[3]! }, {}) }
  },
  accrue: () => {
    const m = running()
    const chain = chainOf(m)
    chain.setTime(m.ledger.indices.hourly.lastStep + HOUR + 300)
    chain.distribute(10_000_000_000n)
    return { chain, call: call('accrue', { index: indexAt('hourly').index }, {}) }
  },
  finalise: () => {
    const m = running()
    const { maturity } = m.market()
    const chain = chainOf(m)
    chain.setTime(maturity + WEEK)
    return { chain, call: call('finalise', { index: indexAt('hourly').index }, { maturity }) }
  },
  syncSt: () => {
    const chain = freshChain()
    must(chain, initIndex('hourly'))
    must(chain, initIndex('weekly'))
    const { index, stMint } = indexAt('hourly')
    return { chain, call: call('syncSt', { index, stMint }, {}) }
  },
  wrap: () => played(running(), { kind: 'wrap', owner: 'bob', coupon: 'hourly', jlp: 5n * JLP }),
  unwrap: () => played(running(), { kind: 'unwrap', owner: 'bob', coupon: 'hourly', jlp: 5n * JLP }),
  split: () => played(running(), { kind: 'split', ...running().ref('bob'), yt: JLP }),
  merge: () => played(running(), { kind: 'merge', ...running().ref('bob'), yt: JLP }),
  redeemPt: () => played(matured(), { kind: 'redeem-pt', market: MARKET, owner: 'bob', pt: JLP }),
  buyPt: () => played(running(), running().ptOrder('bob', 'buy-pt', { st: JLP })),
  sellPt: () => played(running(), running().ptOrder('bob', 'sell-pt', { pt: JLP })),
  openAccount: () => played(running(), { kind: 'open-account', ...running().ref('ann', 1) }),
  closeAccount: () => played(running(), { kind: 'close-account', ...running().ref('empty') }),
  deposit: () => played(running(), { kind: 'deposit', ...running().ref('bob'), jlp: JLP }),
  withdraw: () => played(running(), { kind: 'withdraw', ...running().ref('bob'), jlp: JLP }),
  transfer: () => {
    const m = running()
    return played(m, { kind: 'transfer', ...m.ref('bob'), to: m.ref('ann'), margin: JLP, yt: 0n })
  },
  trade: () => played(running(), running().order('ann', 'long', { yt: JLP })),
  roll: () => {
    const m = running()
    const bounds = { limitRate: ANY_RATE, closeLimitRate: 0n, minimum: 0n, deadline: NEVER }
    const to = { market: LATER, owner: 'ann', sub: 0 }
    return played(m, { kind: 'roll', ...m.ref('ann'), to, amount: { yt: 50n * JLP }, ...bounds })
  },
  placeOrder: () => played(running(), running().resting('ann', 'long', JLP)),
  cancelOrder: () => played(resting(), { kind: 'cancel-order', ...resting().ref('ann'), id: 0 }),
  fillOrder: () => played(resting(), resting().filling('ann', 0, 'bob')),
  expireOrder: () => played(stale(), { kind: 'expire-order', ...stale().ref('ann'), id: 0 }),
  openPosition: () => played(running(), { kind: 'open-position', ...pool, lower: 3000, upper: 3200 }),
  closePosition: () => played(running(), { kind: 'close-position', ...empty }),
  addLiquidity: () => played(running(), running().adding('lp', WHOLE.lower, WHOLE.upper, 10n ** 9n)),
  removeLiquidity: () => {
    const share = { num: 1n, den: 1000n }
    return played(running(), running().removing('lp', WHOLE.lower, WHOLE.upper, share))
  },
  collect: () => played(running(), { kind: 'collect', ...pool }),
  liquidate: () => {
    const m = sunk()
    const due = liquidationOf(m.ledger, m.ref('bad'), m.world)
    if (due === undefined || due === 'take-over') throw new Error('The scene has nobody to liquidate')
    return played(m, { kind: 'liquidate', ...m.ref('bad'), by: 'liq', yt: due.liquidate })
  },
  takeOver: () => played(sunk(), { kind: 'take-over', ...sunk().ref('worse') }),
  reduceFund: () => played(sunk(), { kind: 'reduce-fund', market: MARKET, yt: JLP }),
  settle: () => played(matured(), { kind: 'settle', ...matured().ref('ann') }),
  collectFees: () => played(running(), { kind: 'collect-fees', market: MARKET }),
  applyTerms: () => played(queued(), { kind: 'apply-terms', market: MARKET }),
  catchUp: () => played(running(), { kind: 'catch-up', market: MARKET }),
  ptPrice: () => ({ chain: chainOf(running()), call: ptPrice(MARKET) }),
  proposeTerms: () =>
    played(running(), { kind: 'propose-terms', by: CONFIG.authority, market: MARKET, terms: { ...TERMS, feeBps: 20 } }),
  pause: () => played(running(), { kind: 'pause', by: CONFIG.pauser }),
  unpause: () => played(paused(), { kind: 'unpause', by: CONFIG.pauser }),
  appoint: () => played(running(), { kind: 'appoint', by: CONFIG.authority, pauser: 'shy', treasury: 'heir' }),
  proposeAuthority: () => played(running(), { kind: 'propose-authority', by: CONFIG.authority, authority: 'heir' }),
  acceptAuthority: () => played(proposed(), { kind: 'accept-authority', by: 'heir' }),
}

/** `create_market` after a maturity that its index may forget. */
export const createAfter = (): Case => ({ name: 'createMarket', ...played(emptied(), created) })

/** A call of the instruction that succeeds, on a chain of its own. */
export const caseOf = (name: InstructionName): Case => ({ name, ...CASES[name]() })

/** Sends the call, or one made of it: `run(it, keys => keys.slice(1))`. */
export const run = (
  { chain, call: valid }: Case,
  change: (call: TransactionInstruction) => TransactionInstruction = one => one,
): Outcome => chain.send(change(valid))

export { INSTRUCTION_NAMES, walletAt }
