/** What every position that somebody holds while days go by can be asked, whatever it is. */

/** Where a profit comes from, JLP atoms; the parts add up to it. */
export interface Parts {
  /** Coupons of YT (for PT, those given up; for liquidity, those of its inventory and the ST that time frees). */
  readonly coupons: bigint
  /** What time took off the price at the entry rate (for PT, what it gave). */
  readonly decay: bigint
  /** What the rate's move made of the price. */
  readonly rateMove: bigint
  /** Fees earned, less those paid; price impact and penalty of forced closes. */
  readonly fees: bigint
}

export interface Reading {
  /** All that the position is worth at the spot, JLP atoms. */
  readonly value: bigint
  readonly margin: bigint
  /** Collateral ratio at TWAP, Q64.64; undefined if nothing is owed. */
  readonly ratio: bigint | undefined
  readonly parts: Parts
}

export interface Held {
  /** JLP that the wallet paid, atoms. */
  readonly paid: bigint
  /** False if the opening order was filled in part only. */
  readonly complete: boolean
  read(): Reading
  /** Lets `move` move the rate, and keeps what that made of the value where it cannot be told afterwards. */
  moving(move: () => void): void
  /** What a keeper does after each coupon: whether it has liquidated. */
  keep(): boolean
  /** Sells, or redeems after maturity, all to the wallet. Returns what the market did not take, JLP atoms at the spot. */
  leave(): bigint
}
