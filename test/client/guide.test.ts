/** The code of docs/client.md runs as it stands, on a local chain with the program. */
import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { expect, test } from 'vitest'
import * as amm from '../../amm/index.ts'
import * as sdk from '../../src/client/index.ts'
import { JLP as ONE } from '../exchange/market.ts'
import { keyOf } from '../programs/build-chain.ts'
import { chainOf, running } from '../programs/cases.ts'
import { LiveConnection } from './live.ts'

test('the first trade on a chain prints what happened', async () => {
  const guide = readFileSync(new URL('../../docs/client.md', import.meta.url), 'utf8')
  const [, code, said] = /```ts\n(.*?)```\n```\n(.*?)\n```/s.exec(guide) as unknown as readonly [string, string, string]
  const names = (from: string): string => new RegExp(`import \\{ (.*) \\} from '\\.\\./${from}'`).exec(code)![1]!
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 }
  const body = ts.transpileModule(code.replaceAll(/^import.*\n/gm, ''), { compilerOptions }).outputText
  const run = new Function(
    ...['amm', 'sdk', 'console', 'connection', 'wallet'],
    `const {${names('amm/index.ts')}} = amm, {${names('src/client/index.ts')}} = sdk; return (async () => {${body}})()`,
  ) as (...given: unknown[]) => Promise<void>

  const chain = chainOf(running())
  chain.wallet('reader')
  chain.giveJlp(keyOf('reader').publicKey, 100n * ONE)
  const printed: string[] = []
  const log = (text: string) => printed.push(text)
  await run(amm, sdk, { log }, new LiveConnection(chain).connection, sdk.walletOf(keyOf('reader')))
  expect(printed.join('\n')).toBe(said)
})
