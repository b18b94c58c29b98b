/**
 * One process at a time for a directory: two would write over each other. Who holds it listens on a socket of its name, which the system
 * gives free when the process ends in whatever way; a number in a file would outlive it, and come to be another process's.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, realpathSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fail } from './errors.ts'

/** On Linux without a file (its name begins with a zero); elsewhere a file may be left behind. */
const addressOf = (directory: string): string => {
  const name = `sunder-index-${createHash('sha256').update(realpathSync(directory)).digest('hex').slice(0, 24)}`
  if (process.platform === 'linux') return `\0${name}`
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`)
}

const isHeld = (address: string): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(address)
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })

/** Makes the directory if need be; returns what gives it free. `unavailable` */
export const holdDirectory = async (directory: string): Promise<() => Promise<void>> => {
  mkdirSync(directory, { recursive: true })
  const address = addressOf(directory)
  const listening = () =>
    new Promise<(() => Promise<void>) | undefined>((resolve, reject) => {
      const server = createServer(socket => socket.destroy())
      server.on('error', (error: Error & { readonly code?: string }) => {
        if (error.code === 'EADDRINUSE') resolve(undefined)
        else reject(error)
      })
      server.listen(address, () => resolve(() => new Promise(done => server.close(() => done()))))
      server.unref()
    })
  const held = await listening()
  if (held !== undefined) return held
  if (!(await isHeld(address))) {
    rmSync(address.replace('\0', '/nowhere/'), { force: true })
    const again = await listening()
    if (again !== undefined) return again
  }
  return fail('unavailable', `Another process has the index in ${directory}`, { directory })
}
