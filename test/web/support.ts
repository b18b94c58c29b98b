/** What tests of the page share: the exchange with the processes of `npm start`, on ports and in a directory of its own, and a browser that listens for mistakes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { buildPage, isPageBuilt } from '../../src/cli/page.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const CHROMIUM = '/usr/bin/chromium'
export const hasChromium = existsSync(CHROMIUM)

// ---- the page -------------------------------------------------------------------------------------------------------------

/** Builds the page where the API looks for it, unless it is there as it must be. */
export const builtPage = async (): Promise<void> => {
  if (isPageBuilt()) return
  const failed = await buildPage()
  // Tests of other files may have built it at the same time.
  if (failed !== undefined && !isPageBuilt()) throw new Error(`The page could not be built: ${failed}`)
}

// ---- the exchange -----------------------------------------------------------------------------------------------------------

export interface RunningExchange {
  /** Of the API and its page. */
  readonly url: string
  /** Of the chain's RPC. */
  readonly rpc: string
  readonly stop: () => Promise<void>
}

/** The first of two free ports in a row: the chain's WebSocket is at the one after. */
const freePort = async (): Promise<number> => {
  const listen = (port: number): Promise<number | undefined> =>
    new Promise(done => {
      const server = createServer()
      server.once('error', () => done(undefined))
      server.listen(port, '127.0.0.1', () => {
        const { port: taken } = server.address() as { port: number }
        server.close(() => done(taken))
      })
    })
  for (;;) {
    const port = await listen(0)
    if (port !== undefined && (await listen(port + 1)) !== undefined) return port
  }
}

interface Started {
  /** Resolves with the first line that looks so. */
  readonly says: (pattern: RegExp) => Promise<string>
  readonly stop: () => Promise<void>
}

const start = (script: string, flags: readonly string[], more: Readonly<Record<string, string>> = {}): Started => {
  const { SUNDER_RPC_URL: _, DATABASE_URL: __, ...env } = process.env
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', join(root, 'src/cli', script), ...flags], {
    cwd: root,
    env: { ...env, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said: string[] = []
  const listeners = new Set<() => void>()
  const read = (line: string): void => {
    said.push(line)
    for (const listener of [...listeners]) listener()
  }
  createInterface({ input: child.stdout! }).on('line', read)
  createInterface({ input: child.stderr! }).on('line', read)
  child.once('exit', () => read(`${script} ended`))
  return {
    says: pattern =>
      new Promise((done, failed) => {
        const look = (): void => {
          const line = said.find(one => pattern.test(one))
          if (line !== undefined) done(line)
          else if (child.exitCode !== null)
            failed(new Error(`${script} ended with ${child.exitCode}:\n${said.join('\n')}`))
          else return
          listeners.delete(look)
        }
        listeners.add(look)
        look()
      }),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = new Promise(done => child.once('exit', done))
      child.kill('SIGTERM')
      await ended
    },
  }
}

export interface ExchangeOptions {
  /** Seconds of the chain's clock in one of ours. */
  readonly speed?: 1 | 60 | 3600
  /** Simulated traders. */
  readonly crowd?: boolean
}

/** The processes of `npm start` with a new chain, on ports that nobody else has; resolves when it serves. */
export const startExchange = async ({ speed = 60, crowd = false }: ExchangeOptions = {}): Promise<RunningExchange> => {
  await builtPage()
  const directory = mkdtempSync(join(tmpdir(), 'sunder-web-'))
  const started: Started[] = []
  const stop = async (): Promise<void> => {
    // The chain last: the others work on it.
    for (const one of started.reverse()) await one.stop()
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    const rpcPort = await freePort()
    const rpc = `http://127.0.0.1:${rpcPort}`
    const chain = ['--port', String(rpcPort), '--directory', join(directory, 'chain'), '--speed', String(speed)]
    started.push(start('chain.ts', chain))
    await started[0]!.says(/^http:/)
    if (crowd) started.push(start('crowd.ts', ['--rpc', rpc]))
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const rest = start('start.ts', ['--port', String(port), '--directory', directory], { SUNDER_RPC_URL: rpc })
    started.push(rest)
    await rest.says(new RegExp(`^${url}$`))
    return { url, rpc, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

// ---- the browser ------------------------------------------------------------------------------------------------------------

export interface Visit {
  readonly page: Page
  /** What went wrong: errors of the console and of scripts. */
  readonly problems: readonly string[]
}

export interface VisitOptions {
  readonly width?: number
  readonly height?: number
  readonly theme?: 'light' | 'dark'
  /** Milliseconds that an action may take. */
  readonly patience?: number
}

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM, args: ['--headless', '--no-sandbox', '--disable-gpu'] })

/**
 * Refusals that are documented and that the page says in words, which a browser writes down all the same. Of liquidity that is taken out
 * only the server knows whether it has been there for five minutes (`too-young`).
 */
const SAID: readonly { readonly status: number; readonly url: RegExp }[] = [
  { status: 422, url: /\/v1\/markets\/[\w-]+\/liquidity-quote\?action=remove&/ },
]

/** A page of a browser that nobody has used before: no wallet, no choices. */
export const visit = async (browser: Browser, url: string, options: VisitOptions = {}): Promise<Visit> => {
  const { width = 1600, height = 1000, theme = 'dark', patience = 60_000 } = options
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme })
  const page = await context.newPage()
  page.setDefaultTimeout(patience)
  const problems: string[] = []
  page.on('console', message => {
    if (message.type() !== 'error' && message.type() !== 'warning') return
    const text = message.text()
    const { url } = message.location()
    const isSaid = SAID.some(said => text.includes(`with a status of ${said.status} `) && said.url.test(url))
    if (!isSaid) problems.push(`${text} ${url}`)
  })
  page.on('pageerror', error => problems.push(error.message))
  await page.goto(url)
  return { page, problems }
}

/** Makes the browser's test wallet and has it given test JLP; its address. */
export const openTestWallet = async (page: Page): Promise<string> => {
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  await page.getByRole('button', { name: 'Make a test wallet in this browser' }).click()
  const address = await page.evaluate<string>(`JSON.parse(localStorage.getItem('sunder.test-wallet') ?? '{}').address`)
  await page.getByRole('button', { name: /^\w{4}…\w{4}/ }).click()
  const dialog = page.getByRole('dialog', { name: 'Wallet' })
  await dialog.getByRole('button', { name: 'Get 10,000 test JLP' }).click()
  await page.locator('.toast.done', { hasText: 'test JLP' }).waitFor()
  await dialog.getByRole('button', { name: 'Close', exact: true }).click()
  return address
}

/** Waits until what was sent is done, and closes what says so; throws what was said instead. */
export const settled = async (page: Page, title: string | RegExp): Promise<string> => {
  const toast = page.locator('.toast.done, .toast.failed', { hasText: title }).last()
  await toast.waitFor()
  const text = (await toast.locator('p').textContent()) ?? ''
  if ((await toast.getAttribute('data-state')) === 'failed') throw new Error(text)
  await toast.getByRole('button', { name: 'Close' }).click()
  return text
}

/** What axe finds serious or critical, one line each. */
export const seriousFindings = async (page: Page): Promise<string[]> => {
  // As a command of the browser's own, since no page of ours may run a script from elsewhere.
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'))
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: {
        run: () => Promise<{
          violations: { id: string; impact: string; nodes: { target: string[]; failureSummary: string }[] }[]
        }>
      }
    }
    const { violations } = await axe.run()
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
      )
  })
}

/** How far things have moved by themselves while the page was looked at for so long (layout shift score). */
export const layoutShift = (page: Page, milliseconds: number): Promise<number> =>
  page.evaluate<number>(`new Promise(done => {
    let sum = 0
    const observer = new PerformanceObserver(list => {
      for (const entry of list.getEntries()) sum += entry.value
    })
    observer.observe({ type: 'layout-shift' })
    setTimeout(() => done(sum), ${milliseconds})
  })`)

/** Whether the page is wider than its window. */
export const overflows = (page: Page): Promise<boolean> =>
  page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth')
