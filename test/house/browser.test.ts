/**
 * The kernel runs in a browser as it is: its modules, with nothing done to them but the types taken out, give the same
 * figures to the last bit in a context that has the language and nothing else, and in Chromium where there is one.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createContext, runInContext, runInThisContext } from 'node:vm'
import ts from 'typescript'
import { expect, test } from 'vitest'
import * as kernel from '../../amm/index.ts'

const amm = new URL('../../amm/', import.meta.url)

/** Every module of the kernel by its compiled name ("generated/phi-table.js"), types taken out. */
const modules = (module: ts.ModuleKind): Map<string, string> => {
  const names = readdirSync(amm, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
  const compilerOptions: ts.CompilerOptions = {
    module,
    target: ts.ScriptTarget.ES2022,
    rewriteRelativeImportExtensions: true,
  }
  return new Map(
    names.map(name => {
      const source = readFileSync(new URL(name, amm), 'utf8')
      return [name.replace(/\.ts$/, '.js'), ts.transpileModule(source, { compilerOptions }).outputText]
    }),
  )
}

/**
 * A function of the kernel, as text so that it can run anywhere: positions, a quote of every kind within and across
 * stretches, a coupon, earnings, the rate oracle and figures as people read them; all that comes back, as one text.
 */
const STORY = `kernel => {
  const k = kernel
  let pool = k.createPool({
    grid: { spacing: 10, minTick: 50, maxTick: 13860 },
    fees: { feeBps: 10, lpShareBps: 5000, insuranceShareBps: 5000 },
    rate: k.rateFromApy(k.parsePercent('34.3%')),
    tauSeconds: k.tauAt(k.parseMarketName('JLP-2411').maturity, 1725408000),
    discount: k.discountQ64((97n << 64n) / 100n),
  })
  const positions = []
  for (const [lower, upper] of [[50, 13860], [1820, 4700], [2230, 3720], [2900, 3000]]) {
    const amount = k.liquidityForDeposit(pool, lower, upper, k.parseAtoms('5000'))
    const added = k.addLiquidity(pool, k.emptyPosition(pool, lower, upper), amount)
    positions.push(added.position)
    pool = added.next
  }
  const quotes = ['buy-yt', 'sell-yt', 'buy-pt', 'sell-pt'].flatMap(kind =>
    ['0.000001', '148.94', '20000'].flatMap(amount =>
      ['st', kind.slice(-2)].map(by => k.quote(pool, { kind, [by]: k.parseAtoms(amount) })),
    ),
  )
  const now = 1725408000
  const oracle = k.createOracle({ now, rate: pool.rate, clampPerSecond: k.DEFAULT_CLAMP_PER_SECOND })
  const traded = quotes.find(quote => quote.ticksCrossed > 0).next
  const mean = k.twap(oracle, traded.rate, now + 333, 300)
  const later = k.accrue(traded, { tauSeconds: traded.tauSeconds - 3600, discount: traded.discount - (1n << 50n) })
  const earned = positions.map(position => k.collect(later, position))
  const removed = k.removeLiquidity(later, positions[3], { num: 2n, den: 3n })
  const shown = [k.formatPercent(k.apyFromRate(pool.rate)), k.formatQ64(k.ytPrice(pool.rate, pool.tauSeconds), 6)]
  const found = { positions, quotes, mean, earned, removed, shown, maturity: k.formatTime(now + pool.tauSeconds) }
  return JSON.stringify(found, (key, value) => (typeof value === 'bigint' ? value + 'n' : value))
}`

const here = (runInThisContext(`(${STORY})`) as (k: typeof kernel) => string)(kernel)

test('the story is worth comparing: every kind of quote, filled, with ticks crossed', () => {
  const { quotes, shown, earned, removed } = JSON.parse(here) as {
    quotes: { kind: string; ticksCrossed: number; filled: string }[]
    shown: string[]
    earned: { kind: string }[]
    removed: { kind: string }
  }
  expect(quotes.length).toBe(24)
  expect(quotes.filter(quote => quote.kind === 'quoted').length).toBeGreaterThanOrEqual(20)
  expect(quotes.filter(quote => quote.ticksCrossed >= 2).length).toBeGreaterThanOrEqual(4)
  expect(shown[0]).toBe('34.30%')
  expect(earned.every(({ kind }) => kind === 'collected') && removed.kind === 'removed').toBe(true)
})

/** A fresh context with the language alone, and of that no Math, no Intl, no clock and no code from text. */
const bareContext = (): object => {
  const context = createContext(Object.create(null) as object, { codeGeneration: { strings: false, wasm: false } })
  runInContext('delete Math; delete Intl; delete console; delete WebAssembly; delete Date.now', context)
  return context
}

test('in a bare context, with nothing but the language, the kernel gives the same figures', () => {
  const context = bareContext()
  const absent = 'process require module Buffer fetch performance setTimeout URL console Math window document'
  const kinds = absent.split(' ').map(name => runInContext(`typeof ${name}`, context))
  expect(new Set(kinds)).toEqual(new Set(['undefined']))

  const definitions = [...modules(ts.ModuleKind.CommonJS)].map(
    ([name, code]) => `${JSON.stringify(name)}: (exports, require) => {${code}\n}`,
  )
  // A loader in the manner of CommonJS; every import of the kernel is "./name.js" or "./generated/name.js".
  const bundle = `(() => {
    const definitions = {${definitions.join(',\n')}}
    const loaded = {}
    const load = path => {
      const name = path.replace('./', '')
      if (!(name in definitions)) throw new Error('No such module: ' + path)
      if (!(name in loaded)) definitions[name]((loaded[name] = {}), load)
      return loaded[name]
    }
    return (${STORY})(load('./index.js'))
  })()`
  expect(runInContext(bundle, context)).toBe(here)
})

test('the bare context would notice: a module that uses Math or a timer fails in it', () => {
  expect(() => runInContext('Math.min(1, 2)', bareContext())).toThrow('Math is not defined')
  expect(() => runInContext('setTimeout(() => {}, 1)', bareContext())).toThrow('setTimeout is not defined')
})

const { CHROMIUM = '/usr/bin/chromium' } = process.env

const PAGE = `<!doctype html><meta charset="utf-8"><title>kernel</title><pre id="answer">nothing yet</pre>
<script>onerror = message => { document.getElementById('answer').textContent = 'error: ' + message }</script>
<script type="module">
  import * as kernel from '/amm/index.js'
  document.getElementById('answer').textContent = (${STORY})(kernel)
</script>`

/** The page and the modules, on a port of 127.0.0.1 that happens to be free. */
const serve = (files: ReadonlyMap<string, string>): Promise<Server> =>
  new Promise(resolve => {
    const server = createServer((request, response) => {
      const path = request.url ?? '/'
      const body = path === '/' ? PAGE : files.get(path.replace('/amm/', ''))
      response.writeHead(body === undefined ? 404 : 200, {
        'content-type': path === '/' ? 'text/html' : 'text/javascript',
      })
      response.end(body)
    })
    server.listen(0, '127.0.0.1', () => resolve(server))
  })

/** The page's DOM once its scripts have run. The browser is in a process group of its own, ended after a minute. */
const dumpDom = async (binary: string, url: string): Promise<string> => {
  const profile = mkdtempSync(join(tmpdir(), 'sunder-chromium-'))
  const flags = `--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --virtual-time-budget=20000 --dump-dom`.split(/\s+/)
  const browser: ChildProcess = spawn(binary, [...flags, `--user-data-dir=${profile}`, url], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const endGroup = (): void => {
    try {
      if (browser.pid !== undefined) process.kill(-browser.pid, 'SIGKILL')
    } catch {
      // already gone
    }
  }
  const timer = setTimeout(endGroup, 60_000)
  try {
    return await new Promise<string>((resolve, reject) => {
      let dom = ''
      let complaints = ''
      browser.stdout!.setEncoding('utf8').on('data', (text: string) => {
        dom += text
      })
      browser.stderr!.setEncoding('utf8').on('data', (text: string) => {
        complaints += text
      })
      browser.on('error', reject)
      browser.on('close', code => {
        if (code === 0) resolve(dom)
        else reject(new Error(`Chromium ended with ${code}: ${complaints.slice(-2000)}`))
      })
    })
  } finally {
    clearTimeout(timer)
    endGroup()
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
}

if (!existsSync(CHROMIUM)) {
  test.skip('skipped: no Chromium here', () => {})
} else {
  test('in Chromium, loaded as modules, the kernel gives the same figures', { timeout: 90_000 }, async () => {
    const server = await serve(modules(ts.ModuleKind.ESNext))
    try {
      const dom = await dumpDom(CHROMIUM, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
      expect(/<pre id="answer">([^<]*)<\/pre>/.exec(dom)?.[1]).toBe(here)
    } finally {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    }
  })
}
