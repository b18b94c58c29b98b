/** The trader's page is built behind a service that runs already, when it is not there or older than what it is made of. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setPriority } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const WEB = join(ROOT, 'app/web')
const DIST = join(WEB, 'dist')
/** What it is made of. */
const SOURCES = [
  'app/web/src',
  'app/web/index.html',
  'app/web/public',
  'app/web/vite.config.ts',
  'app/api',
  'amm',
  'src',
]
const LOW = 10

/** Unix milliseconds of the newest file. */
const newest = (path: string): number => {
  const found = statSync(path)
  if (!found.isDirectory()) return found.mtimeMs
  return readdirSync(path).reduce((time, name) => Math.max(time, newest(join(path, name))), 0)
}

export const isPageBuilt = (): boolean => {
  const index = join(DIST, 'index.html')
  if (!existsSync(index)) return false
  const built = statSync(index).mtimeMs
  return SOURCES.every(path => newest(join(ROOT, path)) <= built)
}

/**
 * Builds it with what time others leave, beside the one that is served meanwhile, and puts it in its place; what went wrong, or undefined.
 * Ends early with `signal`.
 */
export const buildPage = async (signal?: AbortSignal): Promise<string | undefined> => {
  const made = join(WEB, `dist-${process.pid}`)
  const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js')
  const flags = ['build', WEB, '--outDir', made, '--emptyOutDir', '--logLevel', 'error']
  const failed = await new Promise<string | undefined>(done => {
    const child = spawn(process.execPath, [vite, ...flags], {
      cwd: ROOT,
      env: { ...process.env, NODE_ENV: 'production' },
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    })
    if (child.pid !== undefined) setPriority(child.pid, LOW)
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    child.once('error', error => done(error.message))
    child.once('close', code => done(code === 0 ? undefined : said.trim() || `code ${code}`))
  })
  const old = `${made}-old`
  if (failed === undefined) {
    if (existsSync(DIST)) renameSync(DIST, old)
    renameSync(made, DIST)
  }
  for (const left of [made, old]) rmSync(left, { recursive: true, force: true })
  return failed
}
