/** What tests of the page share: the exchange as `npm start` runs it, on ports and in a directory of its own, and a browser that listens for mistakes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { build } from 'vite'

const root = fileURLToPath(new URL('../..', import.meta.url))
const CHROMIUM = '/usr/bin/chromium'
export const hasChromium = existsSync(CHROMIUM)

const wait = (milliseconds: number): Promise<void> => new Promise(done => setTimeout(done, milliseconds))

// ---- the page -------------------------------------------------------------------------------------------------------------

const newest = (path: string): number =>
  readdirSync(path, { withFileTypes: true }).reduce((time, entry) => {
    if (entry.name.startsWith('dist')) return time
    const inner = join(path, entry.name)
    return Math.max(time, entry.isDirectory() ? newest(inner) : statSync(inner).mtimeMs)
  }, 0)

/** Builds the page where the API looks for it, unless it is there as it must be. Tests of other files may do so at the same time. */
export const builtPage = async (): Promise<void> => {
  const web = join(root, 'app/web')
  const [dist, lock] = [join(web, 'dist'), join(web, 'dist.lock')]
  const sources = Math.max(...['app/web', 'src', 'amm'].map(folder => newest(join(root, folder))))
  const isThere = (): boolean => {
    const index = join(dist, 'index.html')
    return existsSync(index) && statSync(index).mtimeMs >= sources
  }
  for (let tried = 0; ; tried++) {
    if (isThere()) return
    try {
      mkdirSync(lock)
      break
    } catch {
      // Who builds needs seconds; who was killed meanwhile has left the lock behind.
      if (tried === 600) rmSync(lock, { recursive: true, force: true })
      await wait(100)
    }
  }
  try {
    if (isThere()) return
    const made = join(web, `dist-${process.pid}`)
    await build({ root: web, configFile: join(web, 'vite.config.ts'), logLevel: 'error', build: { outDir: made } })
    rmSync(dist, { recursive: true, force: true })
    renameSync(made, dist)
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

// ---- the exchange -----------------------------------------------------------------------------------------------------------

export interface RunningExchange {
  /** Of the API and its page. */
  readonly url: string
  /** Of the chain's RPC. */
  readonly rpc: string
  readonly stop: () => Promise<void>
}

const freePort = (): Promise<number> =>
  new Promise((done, failed) => {
    const server = createServer()
    server.once('error', failed)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => done(port))
    })
  })

/** `npm start` with a new chain; resolves when it serves. `flags`: more of them, such as `--no-crowd`. */
export const startExchange = async (...flags: readonly string[]): Promise<RunningExchange> => {
  await builtPage()
  const directory = mkdtempSync(join(tmpdir(), 'sunder-web-'))
  const port = await freePort()
  const { SUNDER_RPC_URL: _, DATABASE_URL: __, ...env } = process.env
  const script = join(root, 'src/cli/start.ts')
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', script, '--port', String(port), '--directory', directory, ...flags],
    { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const said: string[] = []
  const url = `http://127.0.0.1:${port}`
  let rpc = ''
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) {
      const ended = new Promise(done => child.once('exit', done))
      child.kill('SIGTERM')
      await ended
    }
    rmSync(directory, { recursive: true, force: true })
  }
  await new Promise<void>((done, failed) => {
    const read = (line: string): void => {
      said.push(line)
      rpc = /Local chain at (\S+?),/.exec(line)?.[1] ?? rpc
      if (line.trim() === url) done()
    }
    createInterface({ input: child.stdout! }).on('line', read)
    createInterface({ input: child.stderr! }).on('line', line => said.push(line))
    child.once('exit', code => failed(new Error(`npm start ended with ${code}:\n${said.join('\n')}`)))
  })
  return { url, rpc, stop }
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

/** A page of a browser that nobody has used before: no wallet, no choices. */
export const visit = async (browser: Browser, url: string, options: VisitOptions = {}): Promise<Visit> => {
  const { width = 1600, height = 1000, theme = 'dark', patience = 60_000 } = options
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme })
  const page = await context.newPage()
  page.setDefaultTimeout(patience)
  const problems: string[] = []
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text())
  })
  page.on('pageerror', error => problems.push(error.message))
  await page.goto(url)
  return { page, problems }
}

/** Makes the browser's test wallet and has it given test JLP; its address. */
export const openTestWallet = async (page: Page): Promise<string> => {
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  await page.getByRole('button', { name: 'Make a test wallet in this browser' }).click()
  const address = await page.evaluate(
    () => (JSON.parse(localStorage.getItem('sunder.test-wallet') ?? '{}') as { address: string }).address,
  )
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
      .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`))
  })
}

/** How far things have moved by themselves while the page was looked at for so long (layout shift score). */
export const layoutShift = (page: Page, milliseconds: number): Promise<number> =>
  page.evaluate(async duration => {
    let sum = 0
    const observer = new PerformanceObserver(list => {
      for (const entry of list.getEntries()) sum += (entry as PerformanceEntry & { value: number }).value
    })
    observer.observe({ type: 'layout-shift' })
    await new Promise(done => setTimeout(done, duration))
    observer.disconnect()
    return sum
  }, milliseconds)
