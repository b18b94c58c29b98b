/** `npm run crowd`: simulated LPs and traders for a local chain, so that there is somebody to trade with. */
import { parseArgs } from 'node:util'
import { clusterOf } from '../chain/index.ts'
import { SunderClient } from '../client/index.ts'
import { Dice } from '../strategy/replay/dice.ts'
import { Crowd } from './crowd/crowd.ts'
import { people } from './crowd/people.ts'
import { HOPELESS } from './processes.ts'

const HELP = `npm run crowd -- [--rpc http://127.0.0.1:8899]
Simulated LPs, savers, traders and arbitrageurs, on a local chain alone: its faucet pays for them.`
const OPTIONS = {
  rpc: { type: 'string', default: 'http://127.0.0.1:8899' },
  help: { type: 'boolean', default: false },
} as const

/** Milliseconds of ours between two turns, after one in which something was done, and after the chain did not answer. */
const PAUSE = { idle: 200, done: 500, gone: 2000 }
/** Seconds of ours that an order is good for. */
const PATIENCE = 60
const REPORT_MS = 60_000

const refuse = (why: string): never => {
  console.error(`${why}\n\n${HELP}`)
  process.exit(HOPELESS)
}

const readFlags = () => {
  try {
    return parseArgs({ options: OPTIONS }).values
  } catch (error) {
    return refuse((error as Error).message)
  }
}

interface ChainInfo {
  readonly local: boolean
  readonly seed: string
  readonly speed: number
  readonly now: number
}

const wait = (milliseconds: number): Promise<void> => new Promise(done => setTimeout(done, milliseconds))

const run = async (): Promise<void> => {
  const values = readFlags()
  if (values.help) return console.log(HELP)
  const cluster = clusterOf(values.rpc)
  const connection = cluster.connection()
  /** A method that only the local chain has. */
  const ask = async <T>(method: string, ...params: unknown[]): Promise<T> => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const answer = await cluster.fetch(values.rpc, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    const { result, error } = (await answer.json()) as { readonly result?: T; readonly error?: { message: string } }
    if (error !== undefined) throw new Error(error.message)
    return result as T
  }

  let isStopping = false
  const stop = (): void => {
    isStopping = true
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)

  const begin = async (): Promise<Crowd> => {
    const { local, seed, speed } = await ask<ChainInfo>('sunder_chain')
    if (!local) return refuse('Only a local chain has a crowd')
    const client = new SunderClient(connection, { lands: PATIENCE * speed })
    const crowd = new Crowd(people(seed), {
      client,
      connection,
      // Behaviour alone hangs on it, and differs from one start to the next.
      dice: new Dice(BigInt(Date.now())),
      seconds: PATIENCE * speed,
      config: await client.config(),
      now: async () => (await ask<ChainInfo>('sunder_chain')).now,
      fund: (owner, atoms) => ask('sunder_faucet', { owner, atoms: String(atoms) }),
    })
    await crowd.recall()
    return crowd
  }

  let crowd: Crowd | undefined
  let [turns, reported] = [0, performance.now()]
  const refusals = new Map<string, number>()
  const done = new Map<string, number>()
  const count = (of: Map<string, number>, what: string) => of.set(what, (of.get(what) ?? 0) + 1)
  const list = (of: Map<string, number>): string =>
    [...of].map(([what, times]) => `${what} ${times}`).join(', ') || 'none'
  while (!isStopping) {
    let pause = PAUSE.idle
    try {
      if (crowd === undefined) {
        crowd = await begin()
        console.log('Simulated traders are there: their keys follow from the seed of the chain')
      }
      const { did, refused } = await crowd.turn()
      turns++
      if (did !== undefined) count(done, did)
      if (refused !== undefined) count(refusals, refused)
      if (did !== undefined || refused !== undefined) pause = PAUSE.done
    } catch (error) {
      console.log(`The chain does not answer: ${(error as Error).message}`)
      pause = PAUSE.gone
    }
    if (performance.now() - reported > REPORT_MS) {
      console.log(`Simulated: ${turns} turns; done: ${list(done)}; refused: ${list(refusals)}`)
      ;[turns, reported] = [0, performance.now()]
      done.clear()
      refusals.clear()
    }
    await wait(pause)
  }
  process.exit(0)
}

await run()
