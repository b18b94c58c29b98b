/** The rate oracle of section 5 second by second: it keeps the observed rate of every second since its start. */
export class SlowOracle {
  private readonly seconds: bigint[] = []
  private readonly startTime: number
  private readonly startRate: bigint
  private readonly clampPerSecond: bigint

  constructor(startTime: number, rate: bigint, clampPerSecond: bigint) {
    this.startTime = startTime
    this.startRate = rate
    this.clampPerSecond = clampPerSecond
  }

  /** Records the seconds since the last call, through all of which `spot` stood (it is taken before the trade). */
  observe(spot: bigint, now: number): void {
    for (const second of this.ahead(spot, now)) this.seconds.push(second)
  }

  /**
   * Floor of the mean of the last `window` seconds up to `now`, given that `spot` stood since the last observation; of
   * all seconds if there are fewer; the current observed rate if there is none. Records nothing.
   */
  twap(spot: bigint, now: number, window: number): bigint {
    const all = [...this.seconds, ...this.ahead(spot, now)]
    const last = all.slice(Math.max(0, all.length - window))
    if (last.length === 0) return all.at(-1) ?? this.startRate
    return last.reduce((sum, second) => sum + second, 0n) / BigInt(last.length)
  }

  /** The seconds from the last observation to `now`: each moves towards `spot` by at most the clamp. */
  private ahead(spot: bigint, now: number): bigint[] {
    const count = now - this.startTime - this.seconds.length
    if (count < 0) throw new Error(`time ${now} lies before the last observation`)
    let observed = this.seconds.at(-1) ?? this.startRate
    return Array.from({ length: count }, () => {
      const gap = spot - observed
      const most = this.clampPerSecond
      observed += gap > most ? most : gap < -most ? -most : gap
      return observed
    })
  }
}
