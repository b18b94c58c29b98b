/** What programs/build/selfcheck/vectors.rs has to answer, in its order, by BigInt. */
const NONE = 0x6e6f6e65n

type Operation = (a: bigint, b: bigint) => bigint

const u = (value: bigint, bits = 128): bigint => BigInt.asUintN(bits, value)
const s = (value: bigint, bits = 128): bigint => BigInt.asIntN(bits, value)
const fitsUnsigned = (value: bigint, bits: number): bigint => (value === u(value, bits) ? value : NONE)
/** As 128 bits with the sign extended, which is how the program answers. */
const fitsSigned = (value: bigint, bits: number): bigint => (value === s(value, bits) ? u(value) : NONE)
const clamp = (value: bigint, low: bigint, high: bigint): bigint => (value < low ? low : value > high ? high : value)

const signedDivision = (bits: number, isRemainder = false): Operation => {
  return (a, b) => {
    const [x, y] = [s(a, bits), s(b, bits)]
    if (y === 0n || x / y !== s(x / y, bits)) return NONE
    return u(isRemainder ? x % y : x / y)
  }
}
const swapBytes = (value: bigint, bytes: number): bigint => {
  let swapped = 0n
  for (let i = 0; i < bytes; i++) swapped = (swapped << 8n) | ((value >> BigInt(8 * i)) & 255n)
  return swapped
}
const bitCounts = (value: bigint): bigint => {
  const bits = value.toString(2).padStart(128, '0')
  const leading = bits.indexOf('1')
  if (leading < 0) return 128n + 1000n * 128n
  const ones = bits.split('1').length - 1
  return BigInt(leading + 1000 * (127 - bits.lastIndexOf('1')) + 1_000_000 * ones)
}
const root = (value: bigint): bigint => {
  let found = BigInt(Math.floor(Math.sqrt(Number(value))))
  while (found * found > value) found--
  while ((found + 1n) * (found + 1n) <= value) found++
  return found
}
const MAX = (1n << 128n) - 1n
const SIGNED_MAX = (1n << 127n) - 1n

export const VECTORS: readonly (readonly [name: string, expected: Operation])[] = [
  ['u128 *, wrapping', (a, b) => u(a * b)],
  ['u128 /', (a, b) => (b === 0n ? NONE : a / b)],
  ['u128 %', (a, b) => (b === 0n ? NONE : a % b)],
  ['i128 /', signedDivision(128)],
  ['i128 %', signedDivision(128, true)],
  ['u128 <<', (a, b) => u(a << (b & 127n))],
  ['u128 >>', (a, b) => a >> (b & 127n)],
  ['i128 >>', (a, b) => u(s(a) >> (b & 127n))],
  ['u128 *, checked', (a, b) => fitsUnsigned(a * b, 128)],
  ['i128 *, checked', (a, b) => fitsSigned(s(a) * s(b), 128)],
  ['u64 *, checked', (a, b) => fitsUnsigned(u(a, 64) * u(b, 64), 64)],
  ['i64 *, checked', (a, b) => fitsSigned(s(a, 64) * s(b, 64), 64)],
  ['i64 /', signedDivision(64)],
  ['i64 %', signedDivision(64, true)],
  ['i32 /', signedDivision(32)],
  ['i32 *, checked', (a, b) => fitsSigned(s(a, 32) * s(b, 32), 32)],
  ['i16 %', signedDivision(16, true)],
  ['i8 /', signedDivision(8)],
  ['u64 * u64 to 128 bits', (a, b) => u(a, 64) * u(b, 64)],
  ['u128 +, checked', (a, b) => fitsUnsigned(a + b, 128)],
  ['u128 -, checked', (a, b) => (a < b ? NONE : a - b)],
  ['i128 +, checked', (a, b) => fitsSigned(s(a) + s(b), 128)],
  ['i128 -, checked', (a, b) => fitsSigned(s(a) - s(b), 128)],
  [
    'comparisons of i128, u128, i64, i32',
    (a, b) => {
      const less = [s(a) < s(b), a < b, s(a, 64) < s(b, 64), s(a, 32) < s(b, 32)]
      return less.reduce((sum, isLess, i) => sum | (BigInt(isLess) << BigInt(i)), 0n)
    },
  ],
  ['u128 rotated', (a, b) => u(a << (b & 127n)) | (a >> (128n - (b & 127n)))],
  ['u32 rotated', (a, b) => u((u(a, 32) << (b & 31n)) | (u(a, 32) >> (32n - (b & 31n))), 32)],
  ['u128 bits counted', a => bitCounts(a)],
  ['u64 square root', a => root(u(a, 64))],
  ['bytes swapped', a => swapBytes(a, 16) ^ swapBytes(u(a, 64), 8)],
  ['i128 absolute, checked', a => fitsSigned(s(a) < 0n ? -s(a) : s(a), 128)],
  ['u128 *, saturating', (a, b) => clamp(a * b, 0n, MAX)],
  ['i128 *, saturating', (a, b) => u(clamp(s(a) * s(b), -SIGNED_MAX - 1n, SIGNED_MAX))],
  ['u32 *, wrapping', (a, b) => u(u(a, 32) * u(b, 32), 32)],
  ['i32 >>', (a, b) => u(s(a, 32) >> (b & 31n))],
  ['u128 * u128, the upper half', (a, b) => (a * b) >> 128n],
  ['i64 / and % by powers of two', a => u(s(a, 64) / 8n + (s(a, 64) % 16n))],
  ['i128 / and % by powers of two', a => u(s(a) / 8n + (s(a) % 16n))],
]

/** Pairs of numbers of every length, with those at the edges first: powers of two, their neighbours and negatives. */
export const numberPairs = (seed: number, count: number): [bigint, bigint][] => {
  let state = BigInt(seed) * 0x9e3779b97f4a7c15n
  const word = (): bigint => {
    state = u(state * 6364136223846793005n + 1442695040888963407n, 64)
    return state >> 11n
  }
  const number = (): bigint => {
    const bits = word() % 129n
    const value = ((word() << 106n) ^ (word() << 53n) ^ word()) & ((1n << bits) - 1n)
    const kinds = [0n, (1n << bits) - 1n, -value, 1n << bits, -(1n << bits), (1n << bits) + 1n]
    return u(kinds[Number(word() % 12n)] ?? value)
  }
  /** The least and the greatest of the signed numbers by 1 and -1, and products just within and just without. */
  const signed = (bits: bigint): [bigint, bigint][] => {
    const [least, greatest] = [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n]
    const pairs = [least, greatest].flatMap(a =>
      [1n, -1n, 2n, -2n, a].flatMap(
        b =>
          [
            [a, b],
            [b, a],
            [a / 2n, b],
          ] as const,
      ),
    )
    return pairs.map(([a, b]) => [u(a), u(b)])
  }
  const edges: [bigint, bigint][] = [
    ...[8n, 16n, 32n, 64n, 128n].flatMap(signed),
    // the greatest product that fits, and the next
    ...[3n, 7n, 255n, (1n << 33n) + 1n, (1n << 63n) + 3n, (1n << 70n) + 9n].flatMap((b): [bigint, bigint][] => [
      [MAX / b, b],
      [MAX / b + 1n, b],
    ]),
    [0n, 0n],
    [MAX, MAX],
    [MAX, 1n << 64n],
    [MAX, (1n << 64n) + 1n],
    [MAX - 1n, MAX],
    [MAX, 1n << 127n],
    [MAX, (1n << 65n) - 1n], // quotients whose first estimate is too large
    [(1n << 127n) - 1n, (1n << 64n) | ((1n << 64n) - 1n)],
    [((1n << 63n) << 64n) | 1n, (1n << 63n) | 1n],
    [((1n << 32n) << 64n) - 1n, (1n << 32n) - 1n],
    [((1n << 32n) << 64n) - 1n, 1n << 32n],
    [(1n << 64n) - 1n, (1n << 64n) - 1n],
  ]
  return [...edges, ...Array.from({ length: count - edges.length }, (): [bigint, bigint] => [number(), number()])]
}
