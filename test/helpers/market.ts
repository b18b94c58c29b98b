/** The default market of docs/protocol.md section 9, as the tests use it. */
export const GRID = { spacing: 10, minTick: 50, maxTick: 13_860 }
export const FEES = { feeBps: 10, lpShareBps: 5000, insuranceShareBps: 5000 }
export const TWO_YEARS = 63_072_000
