/** What the program reads from Jupiter's pool account, on the host, against src/oracle/source.ts: the same bytes for both. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CouponKind } from '../../amm/display.ts'
import { ONE_Q64 } from '../../amm/fixed.ts'
import { U64_MAX } from '../../amm/units.ts'
import { PERPETUALS_PROGRAM, POOL_NAME } from '../../src/jupiter/addresses.ts'
import { decodePool } from '../../src/jupiter/decode.ts'
import { encodePool } from '../../src/jupiter/encode.ts'
import { JupiterError } from '../../src/jupiter/errors.ts'
import type { PoolFacts } from '../../src/jupiter/facts.ts'
import { accrueIndex, HOUR_SECONDS, type RateIndex, WEEK_SECONDS, WEEKLY_AUM } from '../../src/oracle/accrual.ts'
import { OracleError } from '../../src/oracle/errors.ts'
import { checkSource, cursorOf, freshness, readHourly, readWeekly, SOURCE_TERMS } from '../../src/oracle/source.ts'
import { Random } from '../generate/random.ts'
import { POOL_2026 } from '../jupiter/fixtures/index.ts'
import { compare as compareAll, hasRust, RustHost, skipped } from './rust-host.ts'

const crate = fileURLToPath(new URL('../../programs/sunder/src/lib.rs', import.meta.url))
const source = fileURLToPath(new URL('source-host.rs', import.meta.url))

const KINDS: readonly CouponKind[] = ['hourly', 'weekly']
const NAMES: Readonly<Record<string, string>> = {
  'bad-source': 'BadSource',
  'stale-source': 'StaleSource',
  'too-early': 'TooEarly',
}
const U32_MAX = 0xffff_ffff

/** A reading to be made: of these bytes, at `now`, by an index that stands at `lastStep` and read `cursor` before. */
interface Scene {
  readonly kind: CouponKind
  readonly lastStep: number
  readonly cursor: { readonly lastUpdated: number; readonly realizedFeeUsd: bigint }
  readonly now: number
  readonly data: Uint8Array
}
interface Case {
  readonly line: string
  readonly answer: string
}

const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex')

/** Throws what the reference throws. The program reads the one pool there is, which has this name. */
const poolIn = (data: Uint8Array): PoolFacts => {
  const facts = decodePool({ address: POOL_2026.address, owner: PERPETUALS_PROGRAM, data })
  if (facts.name !== POOL_NAME) throw new OracleError('bad-source', 'Another pool', { name: facts.name })
  return facts
}

/** The answer, or the refusal by the program's name; an account that cannot be read is a bad source. */
const answerOf = (f: () => string): string => {
  try {
    return f()
  } catch (error) {
    if (error instanceof JupiterError) return 'error BadSource'
    if (error instanceof OracleError) return `error ${NAMES[error.code]}`
    throw error
  }
}

const indexOf = (kind: CouponKind, lastStep: number): RateIndex => ({
  kind,
  caps: { rhoMaxQ64: 1n, weeklyBudgetQ64: 1n },
  discount: ONE_Q64 as RateIndex['discount'],
  lastStep,
  bucketQ64: 0n,
  carry: 0n,
  checkpoints: [],
})

const caseOf = ({ kind, lastStep, cursor, now, data }: Scene): Case => ({
  line: `${kind} ${lastStep} ${cursor.lastUpdated} ${cursor.realizedFeeUsd} ${now} ${hex(data)}`,
  answer: answerOf(() => {
    const pool = poolIn(data)
    const index = indexOf(kind, lastStep)
    const before = { lastUpdated: BigInt(cursor.lastUpdated), realizedFeeUsd: cursor.realizedFeeUsd }
    const reading = (kind === 'hourly' ? readHourly : readWeekly)(index, before, pool, now)
    // The step that takes it refuses what has more than 64 bits; the program cannot even hold it.
    if (reading.fees > U64_MAX || reading.aum > U64_MAX) accrueIndex({ ...index, lastStep: 0 }, reading)
    const after = cursorOf(pool)
    const rest = reading.remainder === undefined ? '- -' : `${reading.remainder} ${reading.remainderPaid}`
    return `${reading.to} ${reading.fees} ${reading.aum} ${after.lastUpdated} ${after.realizedFeeUsd} ${rest}`
  }),
})

/** When Jupiter's last update was, which only its canaries vouch for: as if read at the end of time. */
const updatedCase = (data: Uint8Array): Case => ({
  line: `updated ${hex(data)}`,
  answer: answerOf(() => {
    const pool = poolIn(data)
    const timeless = { ...pool, aumUsd: 1n, aumUsdUpdatedAt: BigInt(U32_MAX) } as PoolFacts
    checkSource(timeless, U32_MAX, SOURCE_TERMS.weekly)
    return String(pool.poolApr.lastUpdated)
  }),
})

describe.skipIf(!hasRust)(`the program reads Jupiter's pool as the oracle does${skipped}`, () => {
  let rust: RustHost
  let runner = ''

  beforeAll(() => {
    rust = new RustHost()
    const options = ['--crate-type', 'rlib', '--crate-name', 'sunder', '-C', 'opt-level=1']
    const library = rust.compile(crate, 'libsunder.rlib', ...options)
    runner = rust.compile(source, 'host', '-D', 'warnings', '-C', 'opt-level=1', '--extern', `sunder=${library}`)
  })
  afterAll(() => rust.remove())

  /** How often there was a reading, and each refusal. */
  const compare = (cases: readonly Case[]): Map<string, number> =>
    compareAll(runner, cases, ({ answer }) => (answer.startsWith('error ') ? answer.slice(6) : 'read'))
  const atLeast = (counts: ReadonlyMap<string, number>, least: Readonly<Record<string, number>>): void => {
    for (const [name, count] of Object.entries(least))
      expect([name, (counts.get(name) ?? 0) >= count]).toEqual([name, true])
  }

  test("the program's own tests of what it calls and reads pass", () => {
    rust.expectTests(crate, 'external::', '-A', 'dead_code', '-A', 'unused_imports')
  })

  /** An account that Jupiter could have written, and what was read of it before. */
  const sceneOf = (random: Random, kind: CouponKind): Scene => {
    const now = random.int(0, 9) === 0 ? random.int(0, U32_MAX) : random.int(1_700_000_000, 2_000_000_000)
    const { settlingDelay, maxAumAge } = SOURCE_TERMS[kind]
    const before = (seconds: number): number => Math.max(0, now - seconds)
    const settled = Math.max(0, Math.floor((now - settlingDelay) / HOUR_SECONDS)) * HOUR_SECONDS
    const lastStep = random.pick([
      Math.max(0, settled - random.int(0, 5) * HOUR_SECONDS),
      before(random.int(0, WEEK_SECONDS)),
    ])
    const lastUpdated = random.pick([
      before(random.int(0, WEEK_SECONDS)),
      before(random.int(0, HOUR_SECONDS)),
      now + random.int(0, 1),
    ])
    // Across a weekly update, within the week, and backwards.
    const since = random.pick([0, 0, WEEK_SECONDS, random.int(1, 2 * WEEK_SECONDS), random.int(0, lastUpdated), -1])
    const amount = (): bigint => (random.int(0, 9) === 0 ? random.magnitude(U64_MAX) : random.big(0n, 10n ** 13n))
    const seen = amount()
    const aumUsd = random.pick([
      random.big(10n ** 14n, 10n ** 16n),
      random.magnitude(U64_MAX),
      random.int(0, 20) === 0 ? 0n : random.big(U64_MAX - 1n, U64_MAX + 1n),
    ])
    // What Jupiter would publish of a week that ended with a little more than was seen.
    const total = seen + random.big(0n, seen / 50n)
    const fitting = (total * WEEKLY_AUM) / (aumUsd * BigInt(Math.max(since, 1)) || 1n)
    const aprs = [fitting + 1n, fitting, random.big(0n, 20_000n), random.big(0n, 100n), random.magnitude(U64_MAX)]
    const age = random.pick([0, 1, maxAumAge - 1, maxAumAge, maxAumAge + 1, -59, -60, -61, random.int(-100, 10_000)])
    const least = (value: bigint): bigint => (value < U64_MAX ? value : U64_MAX)
    const facts = {
      ...POOL_2026.facts,
      custodies: POOL_2026.facts.custodies.slice(random.int(0, POOL_2026.facts.custodies.length)),
      aumUsd,
      aumUsdUpdatedAt: BigInt(Math.max(0, now - age)),
      poolApr: {
        lastUpdated: BigInt(lastUpdated),
        feeAprBps: least(random.pick(aprs)),
        realizedFeeUsd: least(random.pick([seen, seen + random.big(0n, 10n ** 10n), amount()])),
      },
    } as unknown as PoolFacts
    return {
      kind,
      lastStep,
      cursor: { lastUpdated: Math.min(Math.max(0, lastUpdated - since), U32_MAX), realizedFeeUsd: seen },
      now,
      data: encodePool(facts),
    }
  }

  test('on the recorded account, at the seconds around the bounds', () => {
    const { facts } = POOL_2026
    const data = encodePool(facts)
    const at = Number(facts.aumUsdUpdatedAt)
    const lastUpdated = Number(facts.poolApr.lastUpdated)
    const cases = [-61, -60, 0, 599, 600, 601, 3600, 3601].flatMap(age =>
      KINDS.flatMap(kind =>
        [0, WEEK_SECONDS].map(since =>
          caseOf({
            kind,
            lastStep: Math.floor((at - 4000) / HOUR_SECONDS) * HOUR_SECONDS,
            cursor: { lastUpdated: lastUpdated - since, realizedFeeUsd: facts.poolApr.realizedFeeUsd - 10n ** 9n },
            now: at + age,
            data,
          }),
        ),
      ),
    )
    atLeast(compare(cases), { read: 10, StaleSource: 10 })
    expect(compare([updatedCase(data)]).get('read')).toBe(1)
  })

  test('on 6,000 readings, within a week and across its end', () => {
    const random = new Random(1n)
    const cases = Array.from({ length: 6000 }, (_, i) => caseOf(sceneOf(random, KINDS[i % 2]!)))
    atLeast(compare(cases), { read: 1000, BadSource: 500, StaleSource: 500, TooEarly: 300 })
    const remainders = cases
      .filter(({ answer }) => !answer.startsWith('error') && !answer.endsWith('- -'))
      .map(({ answer }) => answer.split(' ').slice(-2).map(BigInt) as [bigint, bigint])
    // Clamped from below, not at all, and from above.
    expect(remainders.filter(([figured]) => figured < 0n).length).toBeGreaterThan(30)
    expect(remainders.filter(([figured, paid]) => figured === paid).length).toBeGreaterThan(30)
    expect(remainders.filter(([figured, paid]) => figured > paid).length).toBeGreaterThan(30)
  })

  test('on 6,000 accounts with forged bytes or another length', () => {
    const random = new Random(2n)
    const forged = (data: Uint8Array): Uint8Array => {
      const room = random.int(0, 19)
      if (room === 0) return data.slice(0, random.int(0, data.length - 1))
      if (room === 1) return Uint8Array.from([...data, ...new Uint8Array(random.int(1, 40))])
      const other = data.slice()
      for (let i = random.int(1, 2); i > 0; i--) {
        // The head, the number of custodies, the fields behind them.
        const at = random.pick([random.int(0, 19), random.int(16, 19), random.int(20, 460), random.int(20, 460)])
        other[at] = random.pick([0, 1, 2, 127, 128, 255, other[at]! ^ (1 << random.int(0, 7))])
      }
      return other
    }
    const scenes = Array.from({ length: 6000 }, (_, i) => {
      const scene = sceneOf(random, KINDS[i % 2]!)
      return { ...scene, data: forged(scene.data) }
    })
    atLeast(compare(scenes.map(caseOf)), { read: 300, BadSource: 2000, StaleSource: 100, TooEarly: 100 })
    atLeast(compare(scenes.map(({ data }) => updatedCase(data))), { read: 1000, BadSource: 2000 })
  })

  test('on 6,000 questions for freshness, at the second', () => {
    const random = new Random(3n)
    const cases = Array.from({ length: 6000 }, (_, i): Case => {
      const kind = KINDS[i % 2]!
      const { settlingDelay, reduceOnlyAfter } = SOURCE_TERMS[kind]
      const lastStep = random.int(0, 9) === 0 ? random.int(0, U32_MAX) : random.int(0, 4_000_000) * 1000
      const due = kind === 'hourly' ? HOUR_SECONDS + settlingDelay : 0
      const edges = [0, due, due + reduceOnlyAfter, 2 * reduceOnlyAfter, random.int(-100, 3_000_000)]
      const now = Math.min(Math.max(0, lastStep + random.pick(edges) + random.int(-1, 1)), U32_MAX)
      const updated = Math.min(Math.max(0, lastStep + random.pick([-WEEK_SECONDS, -1, 0, 1, 5000])), U32_MAX)
      return {
        line: `fresh ${kind} ${lastStep} ${updated} ${now}`,
        answer: freshness(indexOf(kind, lastStep), BigInt(updated), now),
      }
    })
    compare(cases)
    for (const answer of ['fresh', 'coupon-due', 'reduce-only']) {
      for (const kind of KINDS) {
        const count = cases.filter(c => c.answer === answer && c.line.includes(kind)).length
        expect([kind, answer, count > 200]).toEqual([kind, answer, true])
      }
    }
  })
})
