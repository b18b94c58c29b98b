/** Who the crowd are: the actors of the replays, with more money, and keys that follow from the chain's seed, so that anybody can see who is simulated. */
import { createHash } from 'node:crypto'
import { Keypair } from '@solana/web3.js'
import { MOST_JLP } from '../../chain/faucet.ts'
import { type Actor, type ActorKind, populate } from '../../strategy/replay/actors.ts'
import { Dice } from '../../strategy/replay/dice.ts'

export const PER_KIND = 6
/** Times what a replay's actors bring: here LPs carry longs of thousands of JLP, and arbitrageurs must be felt beside them. */
const RICHER: Readonly<Record<ActorKind, bigint>> = {
  lp: 5n,
  saver: 2n,
  long: 4n,
  short: 4n,
  spot: 4n,
  arbitrageur: 30n,
}

export interface Person extends Actor {
  readonly key: Keypair
}

export const people = (seed: string): Person[] =>
  populate(PER_KIND, new Dice(BigInt(`0x${createHash('sha256').update(seed).digest('hex').slice(0, 16)}`))).map(
    actor => {
      const key = Keypair.fromSeed(createHash('sha256').update(`${seed} crowd ${actor.name}`).digest())
      const capital = actor.capital * RICHER[actor.kind]
      return { ...actor, key, capital: capital < MOST_JLP / 2n ? capital : MOST_JLP / 2n }
    },
  )
