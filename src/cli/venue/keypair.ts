/** A keypair in a file, as Solana's tools write it: a JSON array of 64 bytes. The secret is never printed. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Keypair } from '@solana/web3.js'
import { UsageError } from '../output.ts'

const hint = (path: string): string =>
  `make one with \`sunder wallet new --keypair ${path}\`, or name another with --keypair or SUNDER_KEYPAIR`

/** Warns on stderr where others may read it. */
export const readKeypair = (path: string): Keypair => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
    if ((statSync(path).mode & 0o077) !== 0) console.error(`warning: others may read ${path}: chmod 600 ${path}`)
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code !== 'ENOENT'
    throw new UsageError(isThere ? `${path} cannot be read` : `There is no keypair at ${path}: ${hint(path)}`)
  }
  try {
    return Keypair.fromSecretKey(Uint8Array.from(JSON.parse(text) as number[]))
  } catch {
    // Whatever is wrong with it: what the file says is not repeated.
    throw new UsageError(`${path} is no keypair file, a JSON array of 64 bytes: ${hint(path)}`)
  }
}

/** A new one, for its owner's eyes alone. Never writes over a file. */
export const makeKeypair = (path: string): Keypair => {
  const keypair = Keypair.generate()
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(path, `${JSON.stringify([...keypair.secretKey])}\n`, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST'
    throw new UsageError(isThere ? `There is a file at ${path} already: choose another` : `${path} cannot be written`)
  }
  return keypair
}
