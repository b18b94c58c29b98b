/** A small deterministic generator (splitmix64), so that vectors and long campaigns are the same everywhere. */
export class Random {
  private state: bigint

  constructor(seed: bigint) {
    this.state = BigInt.asUintN(64, seed)
  }

  /** 64 random bits. */
  u64(): bigint {
    this.state = BigInt.asUintN(64, this.state + 0x9e3779b97f4a7c15n)
    let z = this.state
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n)
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn)
    return z ^ (z >> 31n)
  }

  /** A whole number from `min` to `max`, evenly. */
  int(min: number, max: number): number {
    return Number(this.big(BigInt(min), BigInt(max)))
  }

  /** A bigint from `min` to `max`, evenly (up to 128 bits wide). */
  big(min: bigint, max: bigint): bigint {
    return min + (((this.u64() << 64n) | this.u64()) % (max - min + 1n))
  }

  /** A bigint from 1 to `max` whose bit length is even over the range: small and large values alike. */
  magnitude(max: bigint): bigint {
    const bits = this.int(1, max.toString(2).length)
    const value = this.big(1n << BigInt(bits - 1), (1n << BigInt(bits)) - 1n)
    return value < max ? value : max
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)]!
  }
}
