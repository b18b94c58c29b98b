/** `npm start`: the whole exchange on this machine, or beside a chain that runs already; each part a process of its own. */
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { endpointsIn } from '../chain/cluster.ts'
import { buildPage, isPageBuilt } from './page.ts'
import { HOPELESS, Running, type Service, type Watcher } from './processes.ts'

const HELP = `npm start -- [--port 3000] [--speed 60] [--directory .sunder] [--no-crowd] [--fresh] [--rate 100] [--verbose]
  --port       of the API and its page; without it the next free one from 3000 on
  --speed      seconds of the local chain's clock in one of ours: 1, 60, 3600
  --directory  where chain and index are kept
  --no-crowd   without simulated traders
  --fresh      forgets chain and index first
  --rate       requests to the API of one address in a second, 100 by default; 0: as many as come
  --verbose    all that the processes log
SUNDER_RPC_URL=URL runs keeper and API beside that chain instead of a local one.`

const OPTIONS = {
  port: { type: 'string' },
  speed: { type: 'string', default: '60' },
  directory: { type: 'string', default: '.sunder' },
  'no-crowd': { type: 'boolean', default: false },
  fresh: { type: 'boolean', default: false },
  rate: { type: 'string', default: '100' },
  verbose: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

const SPEEDS = ['1', '60', '3600']
const FIRST_PORT = 3000
const FIRST_RPC_PORT = 8899
/** Ports that are looked at for one that is free. */
const PORTS = 100
const HOST = '127.0.0.1'
/** Milliseconds between two questions whether the API serves. */
const INTERVAL = 100

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

const isFree = (port: number): Promise<boolean> =>
  new Promise(done => {
    const server = createServer()
    server.once('error', () => done(false))
    server.listen(port, HOST, () => server.close(() => done(true)))
  })

/** The first of `count` free ports in a row. */
const freePort = async (from: number, count: number): Promise<number> => {
  for (let port = from; port < from + PORTS; port++) {
    const all = await Promise.all(Array.from({ length: count }, (_, i) => isFree(port + i)))
    if (all.every(Boolean)) return port
  }
  return refuse(`No port from ${from} to ${from + PORTS} is free`)
}

const portOf = async (given: string | undefined): Promise<number> => {
  if (given === undefined) return freePort(FIRST_PORT, 1)
  const port = Number(given)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) refuse(`The port must be 1 to 65535, not ${given}`)
  return (await isFree(port)) ? port : refuse(`Port ${port} is taken: choose another one`)
}

const serves = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) })).ok
  } catch {
    return false
  }
}

const run = async (): Promise<void> => {
  const values = readFlags()
  if (values.help) return console.log(HELP)
  const { speed, directory, verbose, rate } = values
  if (!/^\d{1,6}$/.test(rate)) refuse(`The rate must be a whole number, not ${rate}`)
  if (!SPEEDS.includes(speed)) refuse(`The speed must be one of ${SPEEDS.join(', ')}, not ${speed}`)
  const { SUNDER_RPC_URL: cluster } = process.env
  try {
    if (cluster !== undefined) endpointsIn(cluster)
  } catch (error) {
    refuse((error as Error).message)
  }
  const port = await portOf(values.port)
  const rpcPort = cluster === undefined ? await freePort(FIRST_RPC_PORT, 2) : 0
  const [rpc, url] = [cluster ?? `http://${HOST}:${rpcPort}`, `http://${HOST}:${port}`]
  const [chainDirectory, index] = [join(directory, 'chain'), join(directory, 'index')]
  if (values.fresh) {
    const own = cluster === undefined ? [chainDirectory, `${chainDirectory}.anchor`] : []
    for (const path of [...own, index]) rmSync(path, { recursive: true, force: true })
  }
  const service = (name: string, script: string, ...flags: string[]): Service => ({
    name,
    script: new URL(script, import.meta.url),
    flags,
  })
  const running: Running[] = []
  let chain: Running | undefined
  let isStopping = false
  const building = new AbortController()
  const stop = async (code: number): Promise<void> => {
    if (isStopping) return
    isStopping = true
    building.abort()
    await Promise.all(running.map(one => one !== chain && one.stop()))
    await chain?.stop() // which the others work on
    process.exit(code)
  }
  process.on('SIGINT', () => void stop(0)).on('SIGTERM', () => void stop(0))
  const watcher: Watcher = {
    say: line => console.error(line),
    verbose,
    hopeless: name => {
      console.error(`Stops, since ${name} cannot go on: it says why above`)
      void stop(1)
    },
  }
  const begin = (which: Service): Running => {
    const one = new Running(which, watcher)
    running.push(one)
    return one
  }

  console.log(
    'Sunder: not audited, and no advice. Amounts here are test tokens unless you point it at a cluster that has others.',
  )
  const chainFlags = ['--port', String(rpcPort), '--directory', chainDirectory, '--speed', speed]
  if (cluster === undefined) chain = begin(service('chain', 'chain.ts', ...chainFlags))
  begin(service('api', 'api.ts', '--rpc', rpc, '--port', String(port), '--index', index, '--rate', rate))
  if (chain === undefined) console.log(`Chain: ${rpc}`)
  else {
    console.log(`Local chain at ${rpc}, ${speed}x: Jupiter's pool plays recorded history; state in ${directory}`)
    await chain.says(/^http:/)
  }
  if (isStopping) return
  begin(service('keeper', 'keeper.ts', '--rpc', rpc, '--key', join(directory, 'keys', 'keeper.json')))
  if (chain !== undefined && !values['no-crowd']) {
    console.log('Who trades here besides you is simulated (--no-crowd: nobody)')
    begin(service('crowd', 'crowd.ts', '--rpc', rpc))
  }
  while (!(await serves(url))) await new Promise(done => setTimeout(done, INTERVAL))
  if (isStopping) return
  console.log(url)
  if (isPageBuilt()) return
  console.error('The page is being built; everything else is there')
  const failed = await buildPage(building.signal)
  if (!isStopping) console.error(failed === undefined ? 'The page is there' : `The page could not be built: ${failed}`)
}

await run()
