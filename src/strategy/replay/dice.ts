/** A small deterministic generator (splitmix64): the same seed gives the same flow everywhere. For simulated behaviour only. */
export class Dice {
  private state: bigint

  constructor(seed: bigint) {
    this.state = BigInt.asUintN(64, seed)
  }

  private bits(): bigint {
    this.state = BigInt.asUintN(64, this.state + 0x9e3779b97f4a7c15n)
    let z = this.state
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n)
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn)
    return z ^ (z >> 31n)
  }

  /** From 0 to below 1, in steps of 2^-53. */
  uniform(min = 0, max = 1): number {
    return min + (max - min) * (Number(this.bits() >> 11n) / 2 ** 53)
  }

  /** True with a probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability
  }

  int(min: number, max: number): number {
    return min + Math.floor(this.uniform() * (max - min + 1))
  }

  /** About normal, mean 0 and deviation 1: twelve uniforms, so that no platform's logarithm is needed. */
  normal(): number {
    let sum = -6
    for (let i = 0; i < 12; i++) sum += this.uniform()
    return sum
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)]!
  }
}
