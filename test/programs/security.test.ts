/**
 * The adversarial cases that are about the program itself: who may sign for what, which programs are called, what another program can
 * be told, Jupiter's account, and what an authority can reach. Elsewhere, or not at all:
 * - T113 T114 T115 T121 T122, wrong accounts of every sort in every slot: attacks.test.ts
 * - T050 T071, compute in the worst cases: compute-units.test.ts
 * - T124, a loan without its end: there is no pair of instructions that lends, and no instruction reads another of its transaction
 */
import { PublicKey, SystemProgram, TransactionInstruction } from '@solana/web3.js'
import { describe, expect, test } from 'vitest'
import { SEEDS } from '../../src/client/generated/layouts.ts'
import {
  type AccountData,
  type AccountName,
  decode,
  INSTRUCTION_NAMES,
  type InstructionName,
  isEvent,
} from '../../src/client/index.ts'
import type { SeedLayout } from '../../src/client/layout.ts'
import { call, callOf } from '../campaigns/program-calls.ts'
import {
  accountAt,
  indexAt,
  keyAt,
  marketAt,
  marketOf,
  ownerAt,
  positionAt,
  walletAt,
} from '../campaigns/program-places.ts'
import { ANY_RATE, DAY, HOUR, JLP, NEVER } from '../exchange/market.ts'
import { ADDRESSES, ERRORS, INSTRUCTIONS, PROGRAM_ID } from '../generate/interface.ts'
import { camel, SIZES } from '../generate/layouts-write.ts'
import { keyOf } from './build-chain.ts'
import * as cases from './cases.ts'
import { type Case, caseOf, chainOf, LATER, MARKET, must, ptPrice, running, WEEKLY, WHOLE } from './cases.ts'
import type { LocalChain } from './harness.ts'
import { TOKEN_2022_PROGRAM } from './tokens.ts'
import { key, MALLORY, nameOf, SYSTEM, Trial, withData, withKeys } from './trial.ts'

const interfaceOf = (name: InstructionName) => INSTRUCTIONS.find(one => camel(one.name) === name)!
/** The account of a case in a slot. */
const at = ({ name, call: { keys } }: Case, slot: string): PublicKey =>
  keys[interfaceOf(name).accounts.findIndex(one => one.name === slot)]!.pubkey
const hasSlot = (name: InstructionName, slot: string): boolean =>
  interfaceOf(name).accounts.some(one => one.name === slot)
const meta = (pubkey: PublicKey, how = '') => ({ pubkey, isSigner: how.includes('s'), isWritable: how.includes('w') })
const refusal = (chain: LocalChain, ...calls: readonly TransactionInstruction[]): string | undefined =>
  nameOf(chain.send(calls))
const record = <N extends AccountName>(chain: LocalChain, name: N, address: PublicKey | string): AccountData[N] =>
  decode(name, chain.existing(key(address.toString())).data)
const { ledger } = running()

/** Every case once: what each test needs of a success. */
const all = INSTRUCTION_NAMES.map(name => {
  const it = caseOf(name)
  const others = [LATER, WEEKLY].flatMap(id => {
    const { market, vault, ptMint, arrays } = marketAt(id)
    const ann = { market: id, owner: 'ann', sub: 0 }
    return [market, vault, ptMint, ...arrays, accountAt(ann), positionAt({ market: id, owner: 'lp', ...WHOLE })]
  })
  const trial = new Trial(it, others.map(key))
  const before = it.chain.snapshot(others.map(key))
  const outcome = it.chain.send(it.call)
  const after = it.chain.snapshot(others.map(key))
  const changed = others.filter(address => before.get(address) !== after.get(address))
  trial.restore()
  return { name, it, trial, outcome, changed }
})

describe('who signs, and which programs are called', () => {
  test('T016 T116 T126: calls go to the programs that are constants, and to nobody who could call back', () => {
    const programs = { system_program: [], token_program: [], token_2022_program: [], program: [] } as Record<
      string,
      string[]
    >
    const nameAt = new Map(
      Object.keys(programs).map(name => [ADDRESSES[name as keyof typeof ADDRESSES] as string, name]),
    )
    for (const { name, outcome } of all) {
      expect([name, nameOf(outcome)]).toEqual([name, undefined])
      for (const { programId, data } of outcome.inner.flat()) {
        // The loader takes a program's address from the accounts: each is one whose address the checks compare.
        const program = nameAt.get(programId)!
        expect([name, program, hasSlot(name, program)]).toEqual([name, program, true])
        if (program === 'program') expect(isEvent(data)).toBe(true)
        programs[program]!.push(name)
      }
    }
    for (const [program, callers] of Object.entries(programs))
      expect([program, callers.length > 0]).toEqual([program, true])
    // Neither JLP nor PT can have a hook, and of the extensions ST has the one that shows it rebase.
    const { chain } = caseOf('syncSt')
    const mint = chain.existing(key(indexAt('hourly').stMint)).data
    expect([mint.length, mint[165], mint.readUInt16LE(166), mint.readUInt16LE(168)]).toEqual([226, 1, 25, 56])
    // No sysvar is taken from the accounts of a call, where it could be another.
    const slots = new Set(INSTRUCTIONS.flatMap(({ accounts }) => accounts.map(({ name }) => name)))
    for (const slot of slots) expect(slot).not.toMatch(/clock|rent|sysvar|associated/)
  })

  test('T117: only the program can send its events', () => {
    const { chain, call: valid } = caseOf('deposit')
    const event = chain.send(valid).inner[0]!.find(({ data }) => isEvent(data))!.data
    const authority = key(ADDRESSES.event_authority)
    const send = (...keys: ReturnType<typeof meta>[]) =>
      refusal(chain, new TransactionInstruction({ programId: key(PROGRAM_ID), keys, data: event }))
    expect(PublicKey.isOnCurve(authority.toBytes())).toBe(false) // nobody has a key to sign with
    expect(send(meta(authority))).toBe('MissingSigner')
    expect(send(meta(authority, 'w'))).toBe('MissingSigner')
    expect(send(meta(MALLORY, 's'))).toBe('WrongAddress')
    expect(send()).toBe('MissingAccount')
    expect(send(meta(authority), meta(MALLORY, 's'))).toBe('MissingAccount')
  })

  test('T119: an address with another bump than the first is refused in every place that something is made', () => {
    let made = 0
    for (const { name, trial } of all) {
      const { accounts } = interfaceOf(name)
      accounts.forEach(({ check, name: slot }, i) => {
        if (check.kind !== 'new') return
        const wrong = secondAddress(check.account, trial.it.call.keys[i]!.pubkey)
        const keys = trial.it.call.keys.map((one, j) => (j === i ? { ...one, pubkey: wrong } : one))
        expect([name, slot, trial.attempt(withKeys(trial.it.call, keys))]).toEqual([name, slot, 'WrongAddress'])
        made++
      })
    }
    expect(made).toBe(11)
  })

  test('T119: no two things share seeds, whatever is in them', () => {
    const seeds = Object.entries(SEEDS) as [string, readonly SeedLayout[]][]
    const texts = seeds.map(([, [first]]) => ('text' in first! ? first.text : ''))
    const lengths = seeds.map(([, list]) =>
      list.reduce((sum, seed) => sum + ('text' in seed ? seed.text.length : SIZES[seed.type]), 0),
    )
    // Behind the text all have a fixed length, so that only equally long ones could meet, and those begin differently.
    for (const [a, text] of texts.entries()) {
      for (const [b, other] of texts.entries()) {
        const shorter = Math.min(text.length, other.length)
        const meet = lengths[a] === lengths[b] && text.slice(0, shorter) === other.slice(0, shorter)
        expect([text, other, meet]).toEqual([text, other, a === b])
      }
    }
  })

  test('T120: a vault, a mint and an authority are those of one market', () => {
    const [one, other] = [marketAt(MARKET), marketAt(LATER)]
    const { chain, call: valid } = caseOf('withdraw')
    const swap = (changes: Readonly<Record<string, string>>) =>
      refusal(
        chain,
        withKeys(
          valid,
          valid.keys.map(one => ({ ...one, pubkey: key(changes[one.pubkey.toBase58()] ?? one.pubkey.toBase58()) })),
        ),
      )
    expect(swap({ [one.vault]: other.vault })).toBe('WrongAddress')
    expect(swap({ [one.market]: other.market })).toBe('WrongMarket')
    expect(swap({ [one.market]: other.market, [one.vault]: other.vault })).toBe('WrongMarket')
    const roll = caseOf('roll')
    const crossed = roll.call.keys.map(one => one.pubkey.toBase58())
    const [from, to] = [crossed.indexOf(one.vault), crossed.indexOf(other.vault)]
    const keys = roll.call.keys.map((it, i) => ({
      ...it,
      pubkey: i === from ? key(other.vault) : i === to ? key(one.vault) : it.pubkey,
    }))
    expect(refusal(roll.chain, withKeys(roll.call, keys))).toBe('WrongAddress')
  })

  test('T015: nothing of a market reaches another: only a roll writes two', () => {
    for (const { name, changed } of all) expect([name, changed.length > 0]).toEqual([name, name === 'roll'])
  })
})

/** The next address after the canonical one that the same seeds give. */
const secondAddress = (account: string, canonical: PublicKey): PublicKey => {
  const name = account as keyof typeof SEEDS
  const market = key(marketAt(MARKET).market).toBytes()
  const made = key(marketOf(cases.created.maturity, 'hourly').market).toBytes()
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32LE(value)
    return bytes
  }
  const kind = Buffer.from([0])
  const owner = (who: string) => key(ownerAt(who)).toBytes()
  const values: Readonly<Record<keyof typeof SEEDS, readonly Uint8Array[]>> = {
    Config: [],
    RateIndex: [kind],
    StMint: [kind],
    StVault: [kind],
    Market: [number(cases.created.maturity), kind],
    Vault: [made],
    PtMint: [made],
    TickArray: [made, number(50 + 3 * 640)],
    MarginAccount: [market, owner('ann'), Buffer.from([1])],
    RestingOrder: [key(accountAt({ market: MARKET, owner: 'ann', sub: 0 })).toBytes(), Buffer.from([0])],
    LpPosition: [market, owner('lp'), number(3000), number(3200)],
    EventAuthority: [],
  }
  const seeds = [Buffer.from(SEEDS[name][0].text), ...values[name]]
  const [address, bump] = PublicKey.findProgramAddressSync(seeds, key(PROGRAM_ID))
  expect([account, address.toBase58()]).toEqual([account, canonical.toBase58()])
  for (let next = bump - 1; ; next--) {
    try {
      return PublicKey.createProgramAddressSync([...seeds, Buffer.from([next])], key(PROGRAM_ID))
    } catch {
      // on the curve: no address
    }
  }
}

describe('resting orders', () => {
  test('what is filled is gone: a second fill in the same transaction is refused, and the first with it', () => {
    const { chain, call: filling } = caseOf('fillOrder')
    const order = at({ name: 'fillOrder', chain, call: filling }, 'order')
    const before = chain.existing(order).data
    expect(refusal(chain, filling, filling)).toBe('Uninitialised')
    expect(chain.existing(order).data).toEqual(before)
    expect(refusal(chain, filling)).toBe(undefined)
    expect(refusal(chain, filling)).toBe('Uninitialised')
  })

  test('the rent goes back to the owner who paid it, whoever ends the order', () => {
    for (const name of ['cancelOrder', 'fillOrder', 'expireOrder'] as const) {
      const it = caseOf(name)
      const [order, owner] = [at(it, 'order'), key(ownerAt('ann'))]
      const rent = it.chain.existing(order).lamports
      const before = it.chain.existing(owner).lamports
      expect([name, refusal(it.chain, it.call)]).toEqual([name, undefined])
      const fees = name === 'cancelOrder' ? 1_000_000n : 0n // whoever signs may pay for the transaction
      const change = it.chain.existing(owner).lamports - before
      expect([name, change <= rent && change >= rent - fees]).toEqual([name, true])
    }
  })

  test('nobody cancels for another, and an account with an order is not closed', () => {
    const it = caseOf('cancelOrder')
    const keys = it.call.keys.map((one, i) => (i === 0 ? { ...one, pubkey: key(ownerAt('bob')) } : one))
    expect(refusal(it.chain, withKeys(it.call, keys))).toBe('Unauthorised')
    const m = running().fork()
    m.must(m.resting('empty', 'long', JLP))
    const close = callOf({ kind: 'close-account', ...m.ref('empty') }, m.ledger)
    expect(refusal(chainOf(m), close)).toBe('NotEmpty')
  })
})

describe('what is made and ended', () => {
  test('T123: an account that is closed and gets lamports again in the same transaction is dead', () => {
    const { chain, call: closing } = caseOf('closeAccount')
    const ref = { market: MARKET, owner: 'empty', sub: 0 }
    const account = key(accountAt(ref))
    const fromPubkey = key(ownerAt('empty'))
    const revive = SystemProgram.transfer({ fromPubkey, toPubkey: account, lamports: 5_000_000 })
    chain.giveJlp(fromPubkey, JLP)
    const reuse = callOf({ kind: 'deposit', ...ref, jlp: 1000n }, ledger)
    const before = chain.snapshot([account, fromPubkey, key(walletAt('jlp', 'empty'))])
    expect(refusal(chain, closing, revive, reuse)).toBe('Uninitialised')
    expect(refusal(chain, closing, reuse)).toBe('Uninitialised')
    expect(refusal(chain, closing, revive, closing)).toBe('Uninitialised')
    expect(chain.snapshot([account, fromPubkey, key(walletAt('jlp', 'empty'))])).toEqual(before)
    // Opened anew it is a new one, whatever lamports it has, and pays no coupons of before.
    expect(refusal(chain, closing, revive, callOf({ kind: 'open-account', ...ref }, ledger), reuse)).toBeUndefined()
    const { margin, st, yt } = record(chain, 'MarginAccount', account)
    expect([margin, st, yt]).toEqual([1000n, 0n, 0n])
  })

  test('T123: the same of a liquidity position', () => {
    const { chain, call: closing } = caseOf('closePosition')
    const ref = { market: MARKET, owner: 'bob', lower: 100, upper: 200 }
    const adding = callOf(running().adding('bob', 100, 200, 10n ** 13n), ledger)
    const revive = SystemProgram.transfer({
      fromPubkey: key(ownerAt('bob')),
      toPubkey: key(positionAt(ref)),
      lamports: 5_000_000,
    })
    expect(refusal(chain, closing, revive, adding)).toBe('Uninitialised')
    expect(refusal(chain, closing, revive, callOf({ kind: 'open-position', ...ref }, ledger), adding)).toBeUndefined()
  })

  test('T129: lamports sent to an address beforehand keep nobody from making the account', () => {
    let made = 0
    for (const { name, trial } of all) {
      interfaceOf(name).accounts.forEach(({ check }, i) => {
        if (check.kind !== 'new') return
        const { pubkey } = trial.it.call.keys[i]!
        trial.attempt(trial.it.call)
        const plain = trial.it.chain.existing(pubkey)
        trial.restore()
        for (const lamports of [1n, plain.lamports - 1n, plain.lamports, plain.lamports + 1n, 10n ** 10n]) {
          trial.it.chain.setAccount(pubkey, SYSTEM, new Uint8Array(), lamports)
          expect([name, trial.attempt(trial.it.call)]).toEqual([name, undefined])
          const { data, owner, lamports: now } = trial.it.chain.existing(pubkey)
          expect(data.equals(plain.data) && owner.equals(plain.owner)).toBe(true)
          expect(now).toBe(lamports > plain.lamports ? lamports : plain.lamports)
          trial.restore()
        }
        made++
      })
    }
    expect(made).toBe(11)
  })

  test('T129 T096: what exists cannot be made again, and only the upgrade authority begins', () => {
    for (const { name, trial } of all) {
      if (!interfaceOf(name).accounts.some(({ check }) => check.kind === 'new')) continue
      expect(trial.attempt(trial.it.call)).toBeUndefined()
      expect([name, trial.attempt(trial.it.call)]).toEqual([name, 'AlreadyInitialised'])
      trial.restore()
    }
    const chain = cases.freshChain()
    expect(refusal(chain, cases.initConfig(chain, 'ann'))).toBe('Unauthorised')
    // A maturity that is over has had its market, or will never have one.
    const late = chainOf(cases.emptied())
    expect(refusal(late, callOf({ ...cases.created, maturity: marketAt(MARKET).maturity }, ledger))).toBe('Matured')
  })

  test('T093: what was never created, or is not active yet, takes no risk', () => {
    const { chain, call: creation } = caseOf('createMarket')
    const id = 'JLP-2501'
    const ann = { market: id, owner: 'ann', sub: 0 }
    const open = callOf({ kind: 'open-account', ...ann }, ledger)
    expect(refusal(chain, open)).toBe('Uninitialised')
    must(chain, creation)
    const owner = keyAt(ownerAt('ann'))
    for (const mint of [marketAt(id).ptMint]) chain.createTokenAccount(key(mint), owner)
    must(chain, open)
    must(chain, callOf({ kind: 'open-position', market: id, owner: 'ann', ...WHOLE }, ledger))
    const order = { market: id, owner: 'ann', limitRate: ANY_RATE, minimum: 0n, deadline: NEVER }
    const risks = [
      callOf({ kind: 'trade', ...ann, ...order, action: 'long', amount: { yt: JLP } }, ledger),
      callOf({ kind: 'split', ...ann, yt: JLP }, ledger),
      callOf({ kind: 'buy-pt', ...order, limitRate: 0n, amount: { st: JLP } }, ledger),
      callOf({ ...running().adding('ann', WHOLE.lower, WHOLE.upper, 10n ** 9n), market: id }, ledger),
      ptPrice(id),
    ]
    for (const risk of risks) expect(refusal(chain, risk)).toBe('NotActive')
  })
})

describe('what other programs are told', () => {
  const answer = (chain: LocalChain, ...calls: readonly TransactionInstruction[]): string => {
    const outcome = chain.send([...calls, ptPrice(MARKET)])
    if (!outcome.ok) throw new Error(nameOf(outcome))
    return outcome.returned.toString('hex')
  }

  test('T118: a trade of the same transaction does not move the price', () => {
    const { chain } = caseOf('ptPrice')
    const before = answer(chain)
    const m = running()
    const trades = [
      m.order('bob', 'long', { yt: 4000n * JLP }, { spot: true }),
      m.ptOrder('bob', 'sell-pt', { pt: 1000n * JLP }),
      m.ptOrder('bob', 'buy-pt', { st: 1000n * JLP }),
    ]
    for (const trade of trades) expect(answer(chain, callOf(trade, ledger))).toBe(before)
    // It follows in time.
    chain.pass(60)
    expect(answer(chain)).not.toBe(before)
  })

  test('T118 T009: one version of the index, whether the market has copied it or not, and no donation counts', () => {
    const { chain } = caseOf('accrue')
    must(chain, caseOf('accrue').call)
    const fresh = answer(chain)
    expect(answer(chain, callOf({ kind: 'deposit', ...running().ref('bob'), jlp: 1n }, ledger))).toBe(fresh)
    for (const account of [marketAt(MARKET).vault, indexAt('hourly').stVault]) {
      chain.setTokenAmount(key(account), chain.tokenAmount(key(account)) + 10n ** 12n)
    }
    expect(answer(chain)).toBe(fresh)
  })

  test('T118: refused where there is no price: a coupon due, no history, inactive, matured', () => {
    const { chain } = caseOf('ptPrice')
    const { lastStep } = ledger.indices.hourly
    chain.setTime(lastStep + HOUR + 299)
    expect(refusal(chain, ptPrice(MARKET))).toBeUndefined()
    chain.pass(1)
    expect(refusal(chain, ptPrice(MARKET))).toBe('CouponDue')
    chain.setTime(lastStep + 4 * HOUR)
    expect(refusal(chain, ptPrice(MARKET))).toBe('ReduceOnly')
    chain.setTime(marketAt(MARKET).maturity)
    expect(refusal(chain, ptPrice(MARKET))).toBe('Matured')
    expect(refusal(chainOf(cases.matured()), ptPrice(MARKET))).toBe('Matured')
    const young = caseOf('createMarket')
    must(young.chain, young.call)
    const { maturity } = cases.created
    expect(refusal(young.chain, ptPrice('JLP-2501'))).toBe('NotActive')
    for (let number = 0; number < 22; number++) must(young.chain, cases.initTickArray(maturity, number))
    expect(refusal(young.chain, ptPrice('JLP-2501'))).toBe('HistoryShort')
    young.chain.pass(300)
    expect(refusal(young.chain, ptPrice('JLP-2501'))).toBe('NoLiquidity')
    expect(refusal(chainOf(cases.paused()), ptPrice(MARKET))).toBeUndefined() // a pause stops new risk, not the view
  })
})

describe('tokens', () => {
  test('T009 T013: JLP sent to a vault change no book, no price and no payout', () => {
    for (const { name, it, trial } of all) {
      const vaults = ['vault', 'to_vault', 'st_vault'].filter(slot => hasSlot(name, slot))
      if (vaults.length === 0 || interfaceOf(name).accounts.some(({ check }) => check.kind === 'new')) continue
      const reference = trial.reference()
      for (const slot of vaults) {
        const { data } = it.chain.existing(at(it, slot))
        data.writeBigUInt64LE(data.readBigUInt64LE(64) + 10n ** 12n, 64)
        trial.write(at(it, slot), { data })
      }
      expect(trial.attempt(it.call)).toBeUndefined()
      const now = trial.snapshot()
      for (const [address, state] of reference) {
        if (vaults.some(slot => at(it, slot).toBase58() === address)) continue
        expect([name, address, now.get(address) === state]).toEqual([name, address, true])
      }
      trial.restore()
    }
  })

  test('T125 T094: what is no JLP is not taken for it, and ST goes to wallets with extensions', () => {
    const { chain, call: wrapping } = caseOf('wrap')
    const unwrapping = callOf({ kind: 'unwrap', owner: 'bob', coupon: 'hourly', jlp: JLP }, ledger)
    const wallet = key(walletAt('st-hourly', 'bob'))
    const base = chain.existing(wallet).data.subarray(0, 166)
    const extended = (...extensions: readonly (readonly [number, number])[]) =>
      chain.setAccount(
        wallet,
        TOKEN_2022_PROGRAM,
        Buffer.concat([base, ...extensions.map(([kind, value]) => Buffer.from([kind, 0, 1, 0, value]))]),
      )
    extended([8, 1]) // memos are asked for on transfers, which minting and burning are not
    expect(refusal(chain, wrapping)).toBeUndefined()
    expect(refusal(chain, unwrapping)).toBeUndefined()
    extended([11, 1]) // no program may burn for its owner
    expect(refusal(chain, wrapping)).toBeUndefined()
    const books = [wallet, key(indexAt('hourly').index), key(indexAt('hourly').stVault), key(walletAt('jlp', 'bob'))]
    const before = chain.snapshot(books)
    expect(refusal(chain, unwrapping)).toMatch(/^Custom\(/)
    expect(chain.snapshot(books)).toEqual(before)
    // PT, ST and a JLP of Token-2022 in the place of JLP.
    for (const name of ['deposit', 'split', 'addLiquidity', 'wrap'] as const) {
      const { it, trial } = all.find(one => one.name === name)!
      const instead = (pubkey: PublicKey) =>
        trial.attempt(
          withKeys(
            it.call,
            it.call.keys.map(one => (one.pubkey.equals(at(it, 'owner_jlp')) ? { ...one, pubkey } : one)),
          ),
        )
      const owner = interfaceOf(name).accounts[0]!.name
      const who = name === 'addLiquidity' ? 'lp' : 'bob'
      expect([name, owner, instead(key(walletAt(`pt/${LATER}`, who)))]).toEqual([name, 'owner', 'WrongMint'])
      expect([name, instead(key(walletAt('st-weekly', who)))]).toEqual([name, 'WrongOwner'])
      trial.write(at(it, 'owner_jlp'), { owner: TOKEN_2022_PROGRAM })
      expect([name, trial.attempt(it.call)]).toEqual([name, 'WrongOwner'])
      trial.restore()
    }
    // An index is begun with the one JLP there is.
    const { it, trial } = all.find(({ name }) => name === 'initIndex')!
    const mint = it.chain.existing(key(ADDRESSES.jlp_mint))
    it.chain.setAccount(key(ADDRESSES.jlp_mint), TOKEN_2022_PROGRAM, mint.data)
    expect(trial.attempt(it.call)).toBe('WrongOwner')
    const decimals = Buffer.from(mint.data)
    decimals[44] = 9
    it.chain.setAccount(key(ADDRESSES.jlp_mint), mint.owner, decimals)
    expect(trial.attempt(it.call)).toBe('WrongMint')
    it.chain.setAccount(key(ADDRESSES.jlp_mint), mint.owner, mint.data)
  })

  test("T092 T044: nobody redeems, burns or is paid another's", () => {
    const { it, trial } = all.find(({ name }) => name === 'redeemPt')!
    const bob = key(ownerAt('bob'))
    const as = (signer: PublicKey, isSigner: boolean) =>
      trial.attempt(
        withKeys(
          it.call,
          it.call.keys.map(one => (one.pubkey.equals(bob) ? { ...one, pubkey: signer, isSigner } : one)),
        ),
      )
    expect(as(MALLORY, true)).toBe('WrongTokenOwner')
    expect(as(bob, false)).toBe('MissingSigner')
    // Nor do the proceeds of anything go to another wallet than the signer's.
    for (const { name, it, trial } of all) {
      for (const [slot, wallet] of [
        ['owner_pt', `pt/${MARKET}`],
        ['owner_jlp', 'jlp'],
      ] as const) {
        if (!hasSlot(name, slot)) continue
        const keys = it.call.keys.map(one =>
          one.pubkey.equals(at(it, slot)) ? { ...one, pubkey: key(walletAt(wallet, 'creator')) } : one,
        )
        expect([name, slot, trial.attempt(withKeys(it.call, keys))]).toEqual([name, slot, 'WrongTokenOwner'])
      }
    }
  })

  test('T130: with a frozen vault what moves JLP is refused cleanly, and the rest goes on', () => {
    const moved: string[] = []
    for (const { name, it, trial } of all) {
      const vaults = ['vault', 'to_vault', 'st_vault'].filter(slot => hasSlot(name, slot))
      if (vaults.length === 0 || interfaceOf(name).accounts.some(({ check }) => check.kind === 'new')) continue
      for (const slot of vaults) it.chain.freeze(at(it, slot))
      const refused = trial.attempt(it.call) // throws if anything has changed
      if (refused !== undefined) moved.push(name)
      expect([name, refused === undefined || refused === 'Custom(17)']).toEqual([name, true]) // AccountFrozen
      trial.restore()
    }
    expect(moved).toEqual([
      ...[
        'wrap',
        'unwrap',
        'split',
        'merge',
        'redeemPt',
        'buyPt',
        'sellPt',
        'deposit',
        'withdraw',
        'roll',
        'fillOrder',
      ],
      ...['addLiquidity', 'removeLiquidity', 'collect', 'liquidate', 'collectFees'],
    ])
  })

  test('T127: what calls have changed is read anew: many instructions in a transaction come to what they do one by one', () => {
    const m = running()
    const steps = [
      callOf({ kind: 'deposit', ...m.ref('bob'), jlp: 3n * JLP }, ledger),
      callOf({ kind: 'withdraw', ...m.ref('bob'), jlp: 5n * JLP }, ledger),
      callOf({ kind: 'wrap', owner: 'bob', coupon: 'hourly', jlp: 7n * JLP }, ledger),
      callOf(m.ptOrder('bob', 'buy-pt', { st: JLP }), ledger),
      callOf({ kind: 'unwrap', owner: 'bob', coupon: 'hourly', jlp: 9n * JLP }, ledger),
      callOf({ kind: 'merge', ...m.ref('bob'), yt: JLP }, ledger),
    ]
    const keys = [...new Set(steps.flatMap(step => step.keys.map(({ pubkey }) => pubkey.toBase58())))].map(key)
    const [together, apart] = [chainOf(m), chainOf(m)]
    expect(refusal(together, ...steps)).toBeUndefined()
    for (const step of steps) must(apart, step)
    expect(together.snapshot(keys)).toEqual(apart.snapshot(keys))
  })
})

describe("Jupiter's account", () => {
  test('T107 T102 T109: an account that is not the pool, or not as it was, pays nothing; no step is paid twice or taken back', () => {
    const { it, trial } = all.find(({ name }) => name === 'accrue')!
    const { chain } = it
    const pool = key(ADDRESSES.jupiter_pool)
    const valid = chain.existing(pool)
    const facts = chain.pool()
    const attempt = (): string | undefined => {
      const refused = trial.attempt(it.call)
      chain.setAccount(pool, valid.owner, valid.data)
      return refused
    }
    chain.setAccount(pool, MALLORY, valid.data)
    expect(attempt()).toBe('WrongOwner')
    chain.setAccount(pool, key(PROGRAM_ID), valid.data)
    expect(attempt()).toBe('WrongOwner')
    for (const data of [
      valid.data.subarray(0, -1),
      Buffer.concat([valid.data, Buffer.alloc(1)]),
      Buffer.alloc(2000),
      Buffer.alloc(0),
    ]) {
      chain.setAccount(pool, valid.owner, data)
      expect(attempt()).toBe('BadSource')
    }
    // The head, the number of custodies, and everything behind them that must be what it was.
    for (const at of [0, 7, 8, 12, 15, 16, 17, 19]) {
      const data = Buffer.from(valid.data)
      data[at]! ^= 1
      chain.setAccount(pool, valid.owner, data)
      expect([at, attempt()]).toEqual([at, 'BadSource'])
    }
    const set = (change: Parameters<LocalChain['setPool']>[0]): string | undefined => {
      chain.setPool(change)
      const refused = attempt()
      chain.setPool(facts)
      return refused
    }
    expect(set({ bump: facts.bump - 1 })).toBe('BadSource')
    expect(set({ lpTokenBump: facts.lpTokenBump - 1 })).toBe('BadSource')
    expect(set({ inceptionTime: facts.inceptionTime + 1n })).toBe('BadSource')
    expect(set({ aumUsd: 0n })).toBe('BadSource')
    expect(set({ aumUsd: 1n << 64n })).toBe('BadSource')
    expect(set({ aumUsdUpdatedAt: BigInt(chain.now - 601) })).toBe('StaleSource')
    expect(set({ aumUsdUpdatedAt: BigInt(chain.now + 61) })).toBe('StaleSource')
    const { realizedFeeUsd, lastUpdated } = facts.poolApr
    expect(set({ poolApr: { lastUpdated: BigInt(chain.now + 1) } })).toBe('BadSource')
    expect(set({ poolApr: { lastUpdated: lastUpdated - 1n } })).toBe('BadSource')
    // Fees fall: less than what the index has read.
    const { cursor } = record(chain, 'RateIndex', indexAt('hourly').index)
    expect(set({ poolApr: { realizedFeeUsd: cursor.realizedFeeUsd - 1n } })).toBe('BadSource')
    expect(realizedFeeUsd).toBeGreaterThan(cursor.realizedFeeUsd)
    expect(trial.attempt(it.call)).toBeUndefined()
    // A second time there is nothing to pay, and nothing is done.
    const paid = trial.snapshot()
    expect(trial.attempt(it.call)).toBeUndefined()
    expect([...trial.snapshot()]).toEqual([...paid])
    trial.restore()
  })

  test('T095 T097 T098: claims wait for the final discount, 7 days at most; anyone settles, and once', () => {
    const { chain, call: ending } = caseOf('finalise')
    const settle = callOf({ kind: 'settle', ...running().ref('ann') }, ledger)
    const redeem = callOf({ kind: 'redeem-pt', market: MARKET, owner: 'bob', pt: JLP }, ledger)
    chain.pass(-1)
    expect(refusal(chain, ending)).toBe('TooEarly')
    expect(refusal(chain, settle)).toBe('NotMatured')
    expect(refusal(chain, redeem)).toBe('NotMatured')
    chain.pass(1)
    must(chain, ending)
    must(chain, settle)
    must(chain, redeem)
    const account = accountAt(running().ref('ann'))
    const settled = record(chain, 'MarginAccount', account)
    must(chain, settle)
    expect(record(chain, 'MarginAccount', account)).toEqual(settled)
  })
})

/** What the vaults hold beyond the books, and the mints beyond the claims, by market and index. */
const surplus = (chain: LocalChain): bigint[] => [
  ...[MARKET, LATER, WEEKLY].flatMap(id => {
    const { market, vault, ptMint } = marketAt(id)
    if (chain.account(key(market)) === undefined) return [0n, 0n]
    const { vaultAmount, totals } = record(chain, 'Market', market)
    return [chain.tokenAmount(key(vault)) - vaultAmount, chain.mintSupply(key(ptMint)) - totals.pt]
  }),
  ...(['hourly', 'weekly'] as const).flatMap(coupon => {
    const { stMint, stVault } = indexAt(coupon)
    if (chain.account(key(stVault)) === undefined) return [0n]
    return [chain.tokenAmount(key(stVault)) - chain.mintSupply(key(stMint))]
  }),
]

describe('numbers', () => {
  /** The least and the largest of each type, and what is next to the bounds of signed ones. */
  const extremes = (size: number): Buffer[] => {
    const bits = BigInt(8 * size)
    const values = [0n, 1n, (1n << (bits - 1n)) - 1n, 1n << (bits - 1n), (1n << bits) - 2n, (1n << bits) - 1n]
    if (size === 16) values.push((1n << 64n) - 1n, 1n << 64n, 4n << 64n, (4n << 64n) - 1n)
    return values.map(value => {
      const bytes = Buffer.alloc(size)
      for (let i = 0; i < size; i++) bytes[i] = Number((value >> BigInt(8 * i)) & 255n)
      return bytes
    })
  }

  test.each(INSTRUCTION_NAMES)(
    'T128 T029: %s with the most and least of every argument never wraps and never panics',
    name => {
      const { it, trial } = all.find(one => one.name === name)!
      const places: { at: number; size: number }[] = []
      let offset = 8
      for (const { type } of interfaceOf(name).arguments) {
        if (type === 'ChangeableTerms') for (let i = 0; i < 7; i++) places.push({ at: offset + 2 * i, size: 2 })
        const size =
          type === 'ChangeableTerms'
            ? 14
            : typeof type === 'string' && type in SIZES
              ? SIZES[type as keyof typeof SIZES]
              : 1
        if (typeof type === 'string' && /^[ui]\d/.test(type)) places.push({ at: offset, size })
        offset += size
      }
      const before = surplus(it.chain)
      const attempt = (data: Buffer) => {
        const refused = trial.attempt(withData(it.call, data))
        // A name of ours; or it succeeds, with a bound that does not bind, and every token is still behind a claim.
        const known = refused === undefined || ERRORS.some(([error], i) => i > 0 && error === refused)
        expect([name, data.toString('hex'), refused, known]).toEqual([name, data.toString('hex'), refused, true])
        if (refused === undefined) expect(surplus(it.chain)).toEqual(before)
        trial.restore()
      }
      const put = (data: Buffer, { at, size }: { at: number; size: number }, i: number): Buffer => {
        data.set(extremes(size)[i % extremes(size).length]!, at)
        return data
      }
      for (const place of places)
        for (const i of extremes(place.size).keys()) attempt(put(Buffer.from(it.call.data), place, i))
      for (let i = 0; i < 10; i++)
        attempt(places.reduce<Buffer>((data, place) => put(data, place, i), Buffer.from(it.call.data)))
    },
  )

  test('T041: every order says its limits, and they bind', () => {
    const m = running()
    const chain = chainOf(m)
    const yt = 1000n * JLP
    const order = (more: object) => refusal(chain, callOf({ ...m.order('ann', 'long', { yt }), ...more }, ledger))
    expect(order({ limitRate: 1n })).toBe('LimitReached')
    expect(order({ minimum: yt + 1n })).toBe('BelowMinimum')
    expect(order({ deadline: chain.now - 1 })).toBe('DeadlinePassed')
    expect(order({ limitRate: ANY_RATE + 1n })).toBe('BadParameter')
    expect(
      refusal(chain, callOf({ ...m.adding('lp', WHOLE.lower, WHOLE.upper, 10n ** 9n), maximum: 1n }, ledger)),
    ).toBe('AboveMaximum')
    expect(
      refusal(chain, callOf({ ...m.adding('lp', WHOLE.lower, WHOLE.upper, 10n ** 9n), maxRate: 1n }, ledger)),
    ).toBe('LimitReached')
    const removing = { ...m.removing('lp', WHOLE.lower, WHOLE.upper, { num: 1n, den: 1000n }), minimum: 1n << 60n }
    expect(refusal(chain, callOf(removing, ledger))).toBe('BelowMinimum')
    expect(refusal(chain, callOf({ ...removing, minimum: 0n, deadline: chain.now - 1 }, ledger))).toBe('DeadlinePassed')
  })

  test('T131 T071: every call fits a packet without a table, the compute that a call has by default, and no more accounts than a transaction locks', () => {
    for (const { name, it, outcome } of all) {
      expect([name, outcome.size <= 1232]).toEqual([name, true])
      expect([name, outcome.unitsOf[0]! < 200_000]).toEqual([name, true])
      const keys = [
        ...it.call.keys,
        ...Array.from({ length: 65 - it.call.keys.length }, (_, i) => meta(keyOf(`more ${i}`).publicKey)),
      ]
      expect([name, refusal(it.chain, withKeys(it.call, keys))]).toEqual([name, 'TooManyAccountLocks'])
    }
  })
})

describe('T132: what an authority can reach', () => {
  /** Who signs is looked up in the config, or is the loader's upgrade authority. */
  const AUTHORITIES = ['propose_terms', 'pause', 'unpause', 'appoint', 'propose_authority', 'accept_authority'] as const
  const of = (name: string) => INSTRUCTIONS.find(one => one.name === name)!

  test('no instruction of theirs names an account with a balance, or says a balance, a price, an index or a time', () => {
    for (const name of AUTHORITIES) {
      const { accounts, arguments: list } = of(name)
      const written = accounts.filter(({ writable }) => writable).map(one => one.name)
      expect([name, written]).toEqual([name, [name === 'propose_terms' ? 'market' : 'config']])
      const types = list.map(({ type }) => type)
      for (const type of types) expect(['ChangeableTerms', 'pubkey']).toContain(type)
    }
    // A role is looked up by nothing else: whoever signs otherwise owns what is moved, pays rent, or may be anybody.
    for (const { name, accounts } of INSTRUCTIONS) {
      const signers = accounts.filter(({ signer }) => signer).map(one => one.name)
      const isAuthority = (AUTHORITIES as readonly string[]).includes(name)
      const isKeeper = name === 'liquidate' || name === 'fill_order' // anyone, for a reward
      const by = signers.includes('by') && !isKeeper
      expect([name, by]).toEqual([name, isAuthority])
      expect(signers.length).toBeLessThanOrEqual(1)
      // And no name promises what no authority may do.
      expect(name).not.toMatch(/^(set|update|edit|admin|force|rollback|rewind|migrate|emergency|sweep|mint|freeze)_/)
    }
    // What is given as a number is what its owner trades, or a bound on that.
    const said = new Set(INSTRUCTIONS.flatMap(({ arguments: list }) => list.map(({ name }) => name)))
    for (const name of said) expect(name).not.toMatch(/discount|index|price|balance|expiry|deficit|reserve|supply|bump/)
  })

  /** Fields whose values differ. */
  const differing = (before: object, after: object, path = ''): string[] =>
    Object.entries(before).flatMap(([name, value]) => {
      const other = (after as Record<string, unknown>)[name]
      if (typeof value === 'object' && value !== null) return differing(value, other as object, `${path}${name}.`)
      return value === other ? [] : [`${path}${name}`]
    })

  test('bytes: terms, who may, and a pause, and nothing else', () => {
    const config = (name: InstructionName): string[] => {
      const { it } = all.find(one => one.name === name)!
      const before = record(it.chain, 'Config', ADDRESSES.config)
      must(it.chain, it.call)
      return differing(before, record(it.chain, 'Config', ADDRESSES.config))
    }
    expect(config('pause')).toEqual(['pausedUntil', 'eventSequence'])
    expect(config('unpause')).toEqual(['pausedUntil', 'eventSequence'])
    expect(config('appoint')).toEqual(['pauser', 'treasury', 'eventSequence'])
    expect(config('proposeAuthority')).toEqual(['nextAuthority', 'eventSequence'])
    expect(config('acceptAuthority')).toEqual(['authority', 'nextAuthority', 'eventSequence'])

    const chain = chainOf(running())
    const { market, index } = marketAt(MARKET)
    const terms = {
      feeBps: 99,
      lpShareBps: 2500,
      insuranceShareBps: 9999,
      guardBps: 201,
      forcedBps: 999,
      openInterestBps: 1,
      penaltyBps: 3,
    }
    const propose = (feeBps: number) =>
      call('proposeTerms', { by: ownerAt('authority'), index, market }, { terms: { ...terms, feeBps } })
    const diff = (run: TransactionInstruction): string[] => {
      const before = record(chain, 'Market', market)
      must(chain, run)
      return differing(before, record(chain, 'Market', market))
    }
    must(chain, propose(98)) // the market copies its index and observes its rate, as for anybody
    expect(diff(propose(99))).toEqual(['eventSequence', 'queued.terms.feeBps'])
    expect(refusal(chain, call('applyTerms', { index, market }, {}))).toBe('TooEarly')
    chain.pass(DAY)
    must(chain, callOf({ kind: 'deposit', ...running().ref('bob'), jlp: 1n }, ledger))
    expect(diff(call('applyTerms', { index, market }, {}))).toEqual([
      'eventSequence',
      ...Object.keys(terms).map(name => `terms.${name}`),
      'queued.readyAt',
    ])
    // Not beyond the bounds, whoever signs.
    expect(refusal(chain, propose(101))).toBe('BadParameter')
    expect(refusal(chain, propose(0))).toBe('BadParameter')
  })
})
