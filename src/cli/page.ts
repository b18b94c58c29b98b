/** The trader's page is built behind a service that runs already, when it is not there or older than what it is made of. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setPriority } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PAGE = join(ROOT, 'app/web/dist/index.html')
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
  const { mtimeMs } = statSync(path)
  if (!statSync(path).isDirectory()) return mtimeMs
  return Math.max(mtimeMs, ...readdirSync(path).map(name => newest(join(path, name))))
}

export const isPageBuilt = (): boolean => {
  if (!existsSync(PAGE)) return false
  const built = statSync(PAGE).mtimeMs
  return SOURCES.every(path => newest(join(ROOT, path)) <= built)
}

/** Builds it with what time others leave; whether that went well, and what was said if not. Ends early with `signal`. */
export const buildPage = (signal: AbortSignal): Promise<{ readonly failed: string | undefined }> =>
  new Promise(done => {
    const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js')
    const child = spawn(process.execPath, [vite, 'build', 'app/web', '--logLevel', 'error'], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'pipe'],
      signal,
    })
    if (child.pid !== undefined) setPriority(child.pid, LOW)
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    child.once('error', error => done({ failed: error.message }))
    child.once('close', code => done({ failed: code === 0 ? undefined : said.trim() || `code ${code}` }))
  })
