/** `npm run chain`: a local chain with the program, markets of several maturities and liquidity, over HTTP and WebSocket. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import {
  connectionTo,
  LocalChain,
  LocalRpc,
  type LocalSetting,
  MOST_JLP,
  StoreError,
  startServer,
} from '../chain/index.ts'
import { SunderClient } from '../client/index.ts'
import { people } from './crowd/people.ts'
import { GIFTS, KINDS, nextMarkets, Operator, setUp } from './local-markets.ts'
import { HOPELESS } from './processes.ts'

const ELF = new URL('../../programs-idl/sunder.so', import.meta.url)
const HELP = `npm run chain -- [--port 8899] [--directory .sunder/chain] [--speed 1|60|3600] [--memory] [--bare]
  --speed      seconds of the chain's clock in one of ours
  --directory  where the chain is kept; --memory keeps it nowhere
  --bare       the program alone, without markets`

/** Between two looks at which markets are to be open. */
const ROUND_MS = 2000

const OPTIONS = {
  port: { type: 'string', default: '8899' },
  directory: { type: 'string', default: '.sunder/chain' },
  speed: { type: 'string', default: '1' },
  memory: { type: 'boolean', default: false },
  bare: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

/** Says what was wrong, and what could be said, and ends. */
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

const when = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 16)

/** What is damaged or in use stays so, however often it is tried. */
const begin = (setting: LocalSetting): LocalChain => {
  try {
    return new LocalChain(setting)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    console.error(error.message)
    return process.exit(HOPELESS)
  }
}

const run = async (): Promise<void> => {
  const values = readFlags()
  if (values.help) return console.log(HELP)
  const [speed, port] = [Number(values.speed), Number(values.port)]
  if (!(speed > 0) || speed > 3600) refuse(`The speed must be above 0 and at most 3600, not ${values.speed}`)
  // Its WebSocket is at the next port.
  if (!Number.isInteger(port) || port < 1 || port > 65_534) refuse(`The port must be 1 to 65534, not ${values.port}`)
  const kept = values.memory ? {} : { directory: values.directory }
  const chain = begin({ elf: readFileSync(ELF), speed, ...kept })
  const rpc = new LocalRpc(
    chain,
    people(chain.seed).map(({ key }) => key.publicKey.toBase58()),
  )
  const connection = connectionTo(rpc)
  const fund = (): void => {
    for (let gift = 0; gift < GIFTS; gift++) rpc.faucet.give(chain.operator.publicKey.toBase58(), MOST_JLP)
  }
  const operator = values.bare ? undefined : new Operator(connection, chain, fund)
  // Whoever is there already may read; who waits for the line below finds markets.
  const server = await startServer(rpc, { port }).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error
    console.error(`Port ${port} or ${port + 1} is taken: choose another one`)
    await chain.stop()
    return process.exit(1) // it may be free later
  })
  if (operator !== undefined) {
    // The clock stands meanwhile. One market of each kind is enough to begin with.
    await setUp(new SunderClient(connection), chain)
    await operator.open(KINDS.map(kind => nextMarkets(chain.now, kind).at(kind === 'hourly' ? 1 : -1)!))
  }
  chain.run()
  console.log(`The chain's clock is at ${when(chain.now)} UTC and runs ${speed}x`)
  console.log(server.url)
  let isStopping = false
  const stop = (): void => {
    if (isStopping) return
    isStopping = true
    void server
      .stop()
      .then(() => chain.stop())
      .then(() => process.exit(0))
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  while (operator !== undefined && !isStopping) {
    try {
      const { left, opened } = await operator.round()
      for (const { name } of left) console.log(`${name} has matured, its liquidity is taken out`)
      for (const { name, maturity } of opened) console.log(`${name} is open and matures ${when(maturity)} UTC`)
    } catch (error) {
      // Such as a coupon that became due meanwhile: the next round tries again.
      console.log(`markets: ${(error as Error).message}`)
    }
    await new Promise(done => setTimeout(done, ROUND_MS))
  }
}

await run()
