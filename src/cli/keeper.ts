/** `npm run keeper`: does what anyone may do and the exchange needs, with a key of its own. */
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import type { Connection } from '@solana/web3.js'
import { Counter, Gauge, Registry } from 'prom-client'
import { formatAtoms, parseAtoms } from '../../amm/index.ts'
import { type Cluster, clusterOf } from '../chain/cluster.ts'
import { COUPON_KINDS } from '../client/index.ts'
import { JOBS, type Job, Keeper, type KeeperEvent } from '../keeper/index.ts'
import { fail, UsageError } from './output.ts'
import { makeKeypair, readKeypair } from './venue/keypair.ts'

const HELP = `npm run keeper -- [--once] [--rpc URL] [--key FILE] [--every 1000ms] [--jobs accrue,liquidate,...] [--json] [--metrics PORT]
  --rpc         one or more nodes, with commas (default: SUNDER_RPC_URL, or http://127.0.0.1:8899)
  --key         its keypair, a JSON array of 64 bytes; made if it is not there (default: .sunder/keys/keeper.json)
  --every       from the beginning of a round to that of the next; --once makes one round and ends
  --jobs        some of ${JOBS.join(', ')}
  --relist      rounds between two lists of all accounts (default: 1 on a local chain, 20 on a cluster)
  --least-fee   JLP that the fill of an order must bring (default: any)
  --most-price  millionths of a lamport for a compute unit, at most (default: 0 on a local chain, 100000 on a cluster)
  --json        a line of JSON for each attempt
  --metrics     Prometheus' text at http://127.0.0.1:PORT/metrics`

const { SUNDER_RPC_URL = 'http://127.0.0.1:8899' } = process.env

const OPTIONS = {
  rpc: { type: 'string', default: SUNDER_RPC_URL },
  key: { type: 'string', default: '.sunder/keys/keeper.json' },
  every: { type: 'string', default: '1000ms' },
  once: { type: 'boolean', default: false },
  jobs: { type: 'string', default: JOBS.join(',') },
  relist: { type: 'string' },
  'least-fee': { type: 'string', default: '0' },
  'most-price': { type: 'string' },
  json: { type: 'boolean', default: false },
  metrics: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const

const LAMPORTS = 10 ** 9
/** Lamports: below it the keeper is poor, and on a local chain it asks for so many. */
const POOR = LAMPORTS / 20
const AIRDROP = 10 * LAMPORTS
/** Milliseconds between two looks whether a chain is there at all. */
const PATIENCE = 1000

const refuse = (why: string): never => {
  throw new UsageError(`${why}\n\n${HELP}`)
}

const readFlags = () => {
  try {
    return parseArgs({ options: OPTIONS }).values
  } catch (error) {
    return refuse((error as Error).message)
  }
}

const wholeIn = (flag: string, text: string, least: number, most: number): number => {
  const value = Number(text)
  const isGood = /^\d+$/.test(text) && value >= least && value <= most
  return isGood ? value : refuse(`--${flag} is a whole number from ${least} to ${most}, not ${text}`)
}

/** "1000ms", "2s" or "1000", in milliseconds. */
const millisecondsIn = (text: string): number => {
  const found = /^(\d{1,7})(ms|s)?$/.exec(text)
  if (found === null || Number(found[1]) === 0) return refuse(`--every is a time such as 1000ms or 2s, not ${text}`)
  return Number(found[1]) * (found[2] === 's' ? 1000 : 1)
}

const jobsIn = (text: string): Job[] =>
  text.split(',').map(name => JOBS.find(job => job === name.trim()) ?? refuse(`There is no job ${name}`))

const jlpIn = (text: string): bigint => {
  try {
    return parseAtoms(text)
  } catch {
    return refuse(`--least-fee is an amount of JLP such as 0.01, not ${text}`)
  }
}

const clusterAt = (urls: string): Cluster => {
  try {
    return clusterOf(urls)
  } catch {
    return refuse(`--rpc (or SUNDER_RPC_URL) is an http or https URL, or several with commas`)
  }
}

const oneLine = (value: unknown): string =>
  JSON.stringify(value, (_, found) => (typeof found === 'bigint' ? found.toString() : found))

/** 12:00:00 liquidate JLP-2411 <owner>/0 done, 0.009830 JLP earned, <signature> */
const lineOf = ({ at, job, market, what, result, message, earned, signature }: KeeperEvent): string => {
  const time = new Date(at).toISOString().slice(11, 19)
  const head = [time, job, market, what, result].filter(part => part !== undefined).join(' ')
  const more = [message, earned === undefined ? undefined : `${formatAtoms(earned)} JLP earned`, signature]
  return [head, ...more.filter(part => part !== undefined)].join(', ')
}

/** What a scraper is told, out of the status as it is then. */
const metricsOf = (keeper: Keeper): Registry => {
  const registry = new Registry()
  const gauge = (name: string, help: string, value: () => number): void => {
    const collect = function (this: Gauge): void {
      this.set(value())
    }
    new Gauge({ name: `sunder_keeper_${name}`, help, registers: [registry], collect })
  }
  const counter = (
    name: string,
    help: string,
    labelNames: string[],
    values: () => [Record<string, string>, number][],
  ) => {
    const collect = function (this: Counter): void {
      this.reset()
      for (const [labels, value] of values()) this.inc(labels, value)
    }
    new Counter({ name: `sunder_keeper_${name}_total`, help, labelNames, registers: [registry], collect })
  }
  counter('attempts', 'Attempts by what became of them', ['job', 'result'], () =>
    Object.entries(keeper.status().counts).flatMap(([job, results]) =>
      Object.entries(results).map(([result, count]): [Record<string, string>, number] => [{ job, result }, count]),
    ),
  )
  counter('earned_jlp', 'JLP earned', [], () => [[{}, Number(keeper.status().earned) / 1e6]])
  counter('spent_lamports', 'Lamports paid for transactions', [], () => [[{}, keeper.status().spent]])
  counter('rounds', 'Rounds', [], () => [[{}, keeper.status().rounds]])
  gauge('balance_lamports', 'Lamports of the key', () => keeper.status().lamports ?? 0)
  gauge('round_seconds', 'What the last round took', () => (keeper.status().lastRound?.took ?? 0) / 1000)
  gauge('complete', 'Whether the last round came to its end', () =>
    keeper.status().lastRound?.complete === true ? 1 : 0,
  )
  gauge('troubles', 'Requests that failed in a row', () => keeper.status().troubles)
  gauge('markets', 'Markets listed', () => keeper.status().markets)
  gauge('accounts', 'Margin accounts listed', () => keeper.status().accounts)
  gauge('orders', 'Resting orders listed', () => keeper.status().orders)
  for (const kind of COUPON_KINDS) {
    const isGood = (): number => (keeper.status().source[kind] === undefined ? 1 : 0)
    gauge(`source_${kind}_good`, `Whether ${kind} coupons can be paid from Jupiter's account`, isGood)
  }
  return registry
}

const serve = async (keeper: Keeper, port: number): Promise<void> => {
  const registry = metricsOf(keeper)
  const server = createServer(async (request, response) => {
    if (request.url !== '/metrics') response.writeHead(404).end()
    else response.writeHead(200, { 'content-type': registry.contentType }).end(await registry.metrics())
  })
  await new Promise<void>((done, failed) => server.once('error', failed).listen(port, '127.0.0.1', done))
  server.unref()
}

/** Whether the chain is a local one; undefined if nobody answers. */
const isLocal = async (cluster: Cluster, url: string): Promise<boolean | undefined> => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'sunder_chain' })
  const headers = { 'content-type': 'application/json' }
  const answer = await cluster.fetch(url, { method: 'POST', body, headers }).catch(() => undefined)
  return answer === undefined ? undefined : ((await answer.json()) as { result?: unknown }).result !== undefined
}

const run = async (): Promise<void> => {
  const flags = readFlags()
  if (flags.help) return console.log(HELP)
  const [every, jobs, leastFee] = [millisecondsIn(flags.every), jobsIn(flags.jobs), jlpIn(flags['least-fee'])]
  const relist = flags.relist === undefined ? undefined : wholeIn('relist', flags.relist, 1, 1_000_000)
  const price = flags['most-price'] === undefined ? undefined : wholeIn('most-price', flags['most-price'], 0, 1e9)
  const port = flags.metrics === undefined ? undefined : wholeIn('metrics', flags.metrics, 1, 65_535)
  const cluster = clusterAt(flags.rpc)
  const key = existsSync(flags.key) ? readKeypair(flags.key) : makeKeypair(flags.key)
  const address = key.publicKey.toBase58()
  const say = (text: string): void => console.error(text)

  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  const { signal } = stop
  let local = await isLocal(cluster, flags.rpc)
  if (local === undefined && flags.once) throw new UsageError('Nobody answers there as a Solana node does')
  if (local === undefined) say('Nobody answers there yet: waiting for the chain')
  while (local === undefined && !signal.aborted) {
    await new Promise(done => setTimeout(done, PATIENCE))
    local = await isLocal(cluster, flags.rpc)
  }
  if (signal.aborted) return

  const connection: Connection = cluster.connection()
  const onEvent = (event: KeeperEvent): void => console.log(flags.json ? oneLine(event) : lineOf(event))
  const keeper = new Keeper({
    connection,
    key,
    jobs,
    every,
    leastFee,
    onEvent,
    relist: relist ?? (local === true ? 1 : 20),
    mostPrice: BigInt(price ?? (local === true ? 0 : 100_000)),
  })
  say(`The keeper is ${address} and does ${jobs.join(', ')}`)
  if (port !== undefined) await serve(keeper, port)

  let hasAsked = false
  /** Sees that there is SOL for fees. */
  const feed = async (): Promise<void> => {
    const lamports = await connection.getBalance(key.publicKey, 'confirmed').catch(() => POOR)
    if (lamports >= POOR) hasAsked = false
    else if (local === true) await connection.requestAirdrop(key.publicKey, AIRDROP).catch(() => undefined)
    else if (!hasAsked) {
      hasAsked = true
      say(`${address} has ${lamports / LAMPORTS} SOL: send it some, for the fees of its transactions`)
    }
  }
  await feed()
  if (flags.once) {
    const complete = await keeper.round(signal)
    if (flags.json) console.log(oneLine(keeper.status()))
    if (!complete)
      say(
        `The round did not come to its end${keeper.status().trouble === undefined ? '' : `: ${keeper.status().trouble}`}`,
      )
    process.exitCode = complete ? 0 : 1
    return
  }
  const feeding = setInterval(() => void feed(), 60_000)
  await keeper.run(signal)
  clearInterval(feeding)
  say('The keeper has stopped; all that it sent has come to its end')
}

await run().catch(fail)
// Nothing is left to wait for; idle connections would keep the process.
process.exit()
