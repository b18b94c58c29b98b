import { Decimal } from 'decimal.js'
import { describe, expect, test } from 'vitest'
import { PHI_TABLE } from '../../amm/generated/phi-table.ts'
import {
  divide,
  exp,
  expNeg,
  KernelError,
  ln,
  mulDiv,
  ONE_Q64,
  oneMinusExpNeg,
  phi,
  phiComplement,
  type Rounding,
} from '../../amm/index.ts'
import { Random } from '../generate/random.ts'
import { codesOf } from '../helpers/code-of.ts'

const codeOf = codesOf(KernelError)
const X = Decimal.clone({ precision: 60 })
const real = (q: bigint): Decimal => new X(q.toString()).div(new X(2).pow(64))
/** Difference `kernel - exact` in ulp of 2^-64. */
const ulps = (kernel: bigint, exact: Decimal): number =>
  new X(kernel.toString()).minus(exact.times(new X(2).pow(64))).toNumber()
const exactComplement = (x: Decimal): Decimal => (x.isZero() ? x : new X(1).minus(new X(1).minus(x.neg().exp()).div(x)))

const WIDTH = 1n << 59n
const SEGMENT_STARTS = Array.from({ length: 128 }, (_, i) => BigInt(i) * WIDTH)

describe('mulDiv', () => {
  test('rounds towards minus or plus infinity for either sign (T025)', () => {
    const cases: readonly (readonly [bigint, bigint, bigint, Rounding, bigint])[] = [
      [7n, 1n, 2n, 'down', 3n],
      [7n, 1n, 2n, 'up', 4n],
      [-7n, 1n, 2n, 'down', -4n],
      [-7n, 1n, 2n, 'up', -3n],
      [7n, -1n, 2n, 'down', -4n],
      [7n, -1n, 2n, 'up', -3n],
      [8n, 1n, 2n, 'down', 4n],
      [8n, 1n, 2n, 'up', 4n],
      [0n, 5n, 3n, 'up', 0n],
    ]
    for (const [a, b, d, rounding, result] of cases) expect(mulDiv(a, b, d, rounding)).toBe(result)
  })

  test('error: division-by-zero for a divisor of 0 or below', () => {
    expect(codeOf(() => divide(1n, 0n, 'down'))).toBe('division-by-zero')
    expect(codeOf(() => mulDiv(1n, 1n, -1n, 'up'))).toBe('division-by-zero')
  })
})

describe('phi', () => {
  test('is exact at 0 and within 1.6 ulp at both ends of every segment, beside them, and at 20,000 random points', () => {
    expect(phi(0n)).toBe(ONE_Q64)
    const random = new Random(1n)
    const ends = SEGMENT_STARTS.flatMap(start => [start, start + 1n, start + WIDTH / 2n, start + WIDTH - 1n])
    const points = [...ends, ...Array.from({ length: 20_000 }, () => random.big(0n, (4n << 64n) - 1n))]
    let worst = 0
    for (const x of points) worst = Math.max(worst, Math.abs(ulps(phiComplement(x), exactComplement(real(x)))))
    expect(worst).toBeLessThan(1.6)
    expect(worst).toBeGreaterThan(0.5) // a comparison that sees nothing would pass as well
  })

  test('never rises: at every boundary of segments, for which the proof needs r1 > t at the end of each', () => {
    for (const start of SEGMENT_STARTS.slice(1)) {
      expect(phiComplement(start)).toBeGreaterThanOrEqual(phiComplement(start - 1n))
    }
    for (let row = 0; row < 128; row++) {
      const t = WIDTH - 1n
      let r = PHI_TABLE[row * 8 + 7]!
      for (let k = 6; k >= 1; k--) r = PHI_TABLE[row * 8 + k]! - ((t * r) >> 64n)
      expect(r - 1n).toBeGreaterThan(t)
    }
  })

  test('never rises over 400,000 neighbouring arguments, in runs at random places and at the ends of segments', () => {
    const random = new Random(2n)
    const starts = [
      ...SEGMENT_STARTS.map(s => s + WIDTH - 500n),
      ...Array.from({ length: 272 }, () => random.big(0n, (4n << 64n) - 2000n)),
    ]
    let falls = 0
    for (const start of starts) {
      let before = phiComplement(start)
      for (let i = 1n; i < 1000n && start + i < 4n << 64n; i++) {
        const now = phiComplement(start + i)
        if (now < before) falls++
        before = now
      }
    }
    expect(falls).toBe(0)
  })

  test('error: domain outside [0, 4)', () => {
    expect(codeOf(() => phi(-1n))).toBe('domain')
    expect(codeOf(() => phi(4n << 64n))).toBe('domain')
    expect(phi((4n << 64n) - 1n)).toBeGreaterThan(0n)
  })
})

describe('exponentials and logarithm', () => {
  test('1 - e^-x, e^-x and e^x keep their stated errors', () => {
    const random = new Random(3n)
    expect(expNeg(0n)).toBe(ONE_Q64)
    for (let i = 0; i < 5000; i++) {
      const x = random.magnitude((4n << 64n) - 1n)
      const exact = real(x).neg().exp()
      const bound = 1.6 * real(x).toNumber() + 1
      expect(Math.abs(ulps(expNeg(x), exact))).toBeLessThanOrEqual(bound)
      expect(oneMinusExpNeg(x) + expNeg(x)).toBe(ONE_Q64)
      const relative = bound / exact.toNumber() + 1
      expect(Math.abs(ulps(exp(x), new X(1).div(exact)))).toBeLessThan(relative / exact.toNumber())
    }
  })

  test('ln is within 8v ulp on [1, 54) and refuses the rest', () => {
    const random = new Random(4n)
    const points = [
      ONE_Q64,
      ONE_Q64 + 1n,
      54n * ONE_Q64 - 1n,
      ...Array.from({ length: 3000 }, () => ONE_Q64 + random.magnitude(53n * ONE_Q64 - 1n)),
    ]
    for (const v of points) expect(Math.abs(ulps(ln(v), real(v).ln()))).toBeLessThan(8 * real(v).toNumber())
    expect(ln(ONE_Q64)).toBe(0n)
    expect(codeOf(() => ln(ONE_Q64 - 1n))).toBe('domain')
    expect(codeOf(() => ln(54n * ONE_Q64))).toBe('domain')
  })
})
