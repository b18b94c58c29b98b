import { existsSync, readdirSync, readFileSync } from 'node:fs'
import ts from 'typescript'
import { expect, test } from 'vitest'
import * as amm from '../../amm/index.ts'

test('the first trade of the README runs as it stands and prints what it says', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const code = /```ts\n(import \{(.*?)\} from '\.\/amm\/index\.ts'\n.*?)```/s.exec(readme)
  expect(code).not.toBeNull()
  const [, source, names] = code!
  const said = /\/\/ (\S+n \S+%)$/m.exec(source!)?.[1]
  const printed: unknown[][] = []
  const body = ts.transpileModule(source!.replace(/^import.*\n/, ''), {
    compilerOptions: { target: ts.ScriptTarget.ES2022 },
  })
  new Function('amm', 'console', `const {${names}} = amm; ${body.outputText}`)(amm, {
    log: (...values: unknown[]) => printed.push(values),
  })
  expect(printed.map(([amount, apy]) => `${amount}n ${apy}`)).toEqual([said])
})

test('every link of the README, ARCHITECTURE and docs leads to a file of the project', () => {
  const root = new URL('../../', import.meta.url)
  const pages = [
    'README.md',
    'ARCHITECTURE.md',
    ...readdirSync(new URL('docs/', root))
      .filter(f => f.endsWith('.md'))
      .map(f => `docs/${f}`),
  ]
  const broken: string[] = []
  let links = 0
  for (const page of pages) {
    const from = new URL(page, root)
    for (const [, target] of readFileSync(from, 'utf8').matchAll(/\]\(([^)#:]+)\)/g)) {
      links++
      if (!existsSync(new URL(target!, from))) broken.push(`${page}: ${target}`)
    }
  }
  expect(broken).toEqual([])
  expect(links).toBeGreaterThan(10)
})
