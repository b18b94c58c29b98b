/** `npm run chain`: a local chain with the program, two markets and liquidity, over HTTP and WebSocket. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { connectionTo, LocalChain, LocalRpc, MOST_JLP, startServer } from '../chain/index.ts'
import { SunderClient } from '../client/index.ts'
import { nextMarket, openMarket, setUp } from './local-markets.ts'

const ELF = new URL('../../programs-idl/sunder.so', import.meta.url)
const HELP = `npm run chain -- [--port 8899] [--directory .sunder-chain] [--speed 1|60|3600] [--memory] [--bare]
  --speed      seconds of the chain's clock in one of ours
  --directory  where the chain is kept; --memory keeps it nowhere
  --bare       the program alone, without markets`

const OPTIONS = {
  port: { type: 'string', default: '8899' },
  directory: { type: 'string', default: '.sunder-chain' },
  speed: { type: 'string', default: '1' },
  memory: { type: 'boolean', default: false },
  bare: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

/** Says what was wrong, and what could be said, and ends. */
const refuse = (why: string): never => {
  console.error(`${why}\n\n${HELP}`)
  process.exit(2)
}

const readFlags = () => {
  try {
    return parseArgs({ options: OPTIONS }).values
  } catch (error) {
    return refuse((error as Error).message)
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
  const chain = new LocalChain({ elf: readFileSync(ELF), speed, ...kept })
  const rpc = new LocalRpc(chain)
  if (!values.bare) {
    // The clock stands while markets are opened; their deadlines are a minute ahead.
    const client = new SunderClient(connectionTo(rpc))
    await setUp(client, chain)
    for (const kind of ['hourly', 'weekly'] as const) {
      const market = nextMarket(chain.now, kind)
      await openMarket(client, chain, market, MOST_JLP, () =>
        rpc.faucet.give(chain.operator.publicKey.toBase58(), MOST_JLP),
      )
      console.log(`${market.name} matures ${new Date(market.maturity * 1000).toISOString().slice(0, 16)} UTC`)
    }
  }
  const server = await startServer(rpc, { port })
  chain.run()
  console.log(`The chain's clock is at ${new Date(chain.now * 1000).toISOString().slice(0, 16)} UTC and runs ${speed}x`)
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
}

await run()
