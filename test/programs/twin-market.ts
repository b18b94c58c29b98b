/** The market of test/exchange/market.ts, every instruction of which is asked of the program as well. */
import { parseMarketName, parsePercent, rateFromApy } from '../../amm/index.ts'
import { balanceId, type Instruction } from '../../src/exchange/index.ts'
import { type Told, Twin } from '../campaigns/program-twin.ts'
import { CONFIG, DAY, HOUR, JLP, OpenMarket } from '../exchange/market.ts'

export interface TwinOptions {
  /** `JLP-2411` (hourly coupons, the default) or `JLP-2411-W` (weekly). */
  readonly name?: string
  /** Days before maturity that the market opens. */
  readonly days?: number
  /** Each of these, `creator`, `lp` and `keeper` has `balance` JLP atoms. */
  readonly wallets?: readonly string[]
  readonly balance?: bigint
  /** Atoms of the one LP's deposit, 25 to 45 %; none with 0. */
  readonly liquidity?: bigint
}

export class TwinMarket extends OpenMarket {
  readonly twin: Twin

  constructor({ name = 'JLP-2411', days = 86, wallets = [], ...options }: TwinOptions = {}) {
    const { balance = 10n ** 12n, liquidity = 10_000n * JLP } = options
    const { maturity, kind } = parseMarketName(name)
    const start = Math.floor((maturity - days * DAY) / HOUR) * HOUR
    const owners = new Set(['creator', 'lp', 'keeper', ...wallets])
    const balances = [...owners].map(owner => [balanceId('jlp', owner), balance] as const)
    const jlpSupply = 10n ** 15n
    const twin = new Twin({ config: CONFIG, lastStep: start, balances }, jlpSupply)
    super(name, twin.ledger, { now: start, jlpSupply, weeklyUpdatedAt: start })
    this.twin = twin
    const rate = rateFromApy(parsePercent('32.7%'))
    this.must({ kind: 'create-market', by: 'creator', coupon: kind, maturity, rate })
    if (liquidity > 0n) this.provide('lp', 2230, 3710, liquidity)
    this.wait(360)
  }

  /** Jupiter's account is made to say what a coupon says; to have it say something else, ask the twin. */
  override run(instruction: Instruction): Told {
    if (instruction.kind === 'accrue') {
      this.twin.chain.at(this.world)
      this.twin.chain.announce(instruction)
    }
    return this.twin.run(instruction, this.world)
  }

  /** The program's name of a refusal; `applied` if there is none. */
  told(instruction: Instruction): string {
    const result = this.run(instruction)
    return result.kind === 'refused' ? result.told : 'applied'
  }
}
