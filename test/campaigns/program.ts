/** Campaign: the on-chain program beside the engine. Whatever the lives of exchange.ts ask is asked of both; program-twin.ts compares. */
import type { Random } from '../generate/random.ts'
import { lifeAt } from './exchange.ts'
import { count, Desk, type ExchangeStats, type Init, newStats } from './exchange-desk.ts'
import { type Instruction, min } from './exchange-engine.ts'
import { type Told, Twin } from './program-twin.ts'

/** All JLP there can be on a chain. */
const MOST_JLP = (1n << 64n) - 1n

/** A desk whose every instruction is sent to the program as well. */
export class ProgramDesk extends Desk {
  readonly twin: Twin

  constructor(init: Init, random: Random, stats: ExchangeStats, jlpSupply: bigint) {
    const wallets = [...(init.balances ?? [])]
    const most = MOST_JLP / BigInt(wallets.length + 1)
    const balances = wallets.map(([id, atoms]) => [id, min(atoms, most)] as const)
    super({ ...init, balances }, random, stats, min(jlpSupply, MOST_JLP), false)
    this.twin = new Twin(this.init, this.jlpSupply, this.ledger)
  }

  override run(instruction: Instruction): Told {
    const { random, stats, twin, world } = this
    if (instruction.kind === 'accrue') {
      // Now and then nobody has touched Jupiter's pool for a while.
      const age = random.int(0, 24) === 0 ? random.int(500, 4000) : random.int(-60, 300)
      twin.chain.at(world)
      twin.chain.announce(instruction, age)
    }
    const result = twin.run(instruction, world)
    if (result.kind === 'refused') {
      stats.refused++
      count(stats.codes, result.told)
      return result
    }
    this.log.push({ instruction, world })
    stats.applied++
    count(stats.kinds, instruction.kind === 'trade' ? `trade ${instruction.action}` : instruction.kind)
    for (const event of result.events) {
      if (event.type === 'loss') count(stats.events, event.deficit > 0n ? 'deficit' : 'paid by the fund')
      if (event.type === 'liquidity-removed' && event.withheld.jlp > 0n) count(stats.events, 'withheld')
    }
    if (random.int(0, 400) === 0) twin.donate(random.pick([...this.ledger.markets.keys()]), random.big(1n, 1000n))
    return result
  }
}

/** Lives until the program has been asked so many instructions. */
export const programLives = (random: Random, asked: number, stats: ExchangeStats = newStats()): ExchangeStats => {
  while (stats.applied + stats.refused < asked) {
    const operations = Math.min(1000, Math.max(150, asked))
    const desks: ProgramDesk[] = []
    lifeAt(random, stats, operations, (...given) => {
      const desk = new ProgramDesk(...given)
      desks.push(desk)
      return desk
    })
    for (const { twin } of desks) twin.compareAll()
  }
  return stats
}

/** The figures of a run, flat. */
export const programFigures = (stats: ExchangeStats): Record<string, number> => ({
  asked: stats.applied + stats.refused,
  applied: stats.applied,
  lives: stats.lives,
  ...Object.fromEntries(stats.events),
  maxKinds: stats.kinds.size,
  maxCodes: stats.codes.size,
})
