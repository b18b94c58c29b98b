/** What an owner has, added up; what may be taken out of a margin account. JLP atoms. */
import { heldAccount, run, type Snapshot, withHeld } from '../../kernel.ts'
import type { Account, Owner } from '../../types.ts'

const sum = (amounts: readonly string[]): bigint => amounts.reduce((total, one) => total + BigInt(one), 0n)

export interface Worth {
  readonly jlp: bigint
  readonly st: bigint
  readonly pt: bigint
  readonly margin: bigint
  readonly liquidity: bigint
  readonly total: bigint
}

/** All at the spot. */
export const worthOf = ({ wallet, accounts, positions }: Owner): Worth => {
  const parts = {
    jlp: BigInt(wallet.jlp),
    st: sum([wallet.st.hourly, wallet.st.weekly]),
    pt: sum(wallet.pt.map(({ value }) => value)),
    margin: sum(accounts.map(({ account }) => account.equity)),
    liquidity: sum(positions.map(({ position }) => position.value)),
  }
  return { ...parts, total: Object.values(parts).reduce((total, one) => total + one, 0n) }
}

/** The most of its margin that an account can give away now: by what the exchange takes. */
export const mostWithdrawable = (snapshot: Snapshot, owner: string, account: Account, orders: number): bigint => {
  const ref = { market: snapshot.name, owner, sub: account.sub }
  const held = heldAccount(snapshot, owner, account, orders)
  const isTaken = (jlp: bigint): boolean =>
    run(withHeld(snapshot, owner, { accounts: [held] }), snapshot.world, [{ kind: 'withdraw', ...ref, jlp }]).kind ===
    'done'
  let [good, bad] = [0n, held.margin + 1n]
  if (held.margin > 0n && isTaken(held.margin)) return held.margin
  while (bad - good > 1000n) {
    const middle = (good + bad) / 2n
    if (isTaken(middle)) good = middle
    else bad = middle
  }
  return good
}
