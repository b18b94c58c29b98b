import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse, readGlobals, readImports } from './read-imports.ts'

const root = new URL('../../', import.meta.url)
const architecture = readFileSync(new URL('ARCHITECTURE.md', root), 'utf8')

// ---- the table --------------------------------------------------------------------------------------------------------

const OUTSIDE = ['packages', 'node', 'world'] as const
type Outside = (typeof OUTSIDE)[number]

interface Row {
  readonly folder: string
  readonly may: readonly { readonly path: string; readonly typesOnly: boolean }[]
  readonly outside: readonly Outside[]
}

const TOP = ['amm', 'app', 'docs', 'programs-idl', 'src']
const fullPath = (name: string): string => (TOP.includes(name.split('/')[0]!) ? name : `src/${name}`)

/** "nothing", or "`a`, types of `b`" as [prefix, name] pairs; throws on anything else, so that no word is overlooked. */
const parseCell = (cell: string): { prefix: string; name: string }[] => {
  if (cell === 'nothing') return []
  return cell.split(', ').map(item => {
    const match = /^(types of )?`([\w/-]+)`$/.exec(item)
    if (match === null) throw new Error(`ARCHITECTURE.md, import table: cannot read "${item}" in "${cell}"`)
    return { prefix: match[1] ?? '', name: match[2]! }
  })
}

const parseTable = (page: string): Row[] => {
  const lines = page.split('\n')
  const head = lines.indexOf('| folder | may import | from outside |')
  if (head < 0 || lines[head + 1] !== '|---|---|---|') throw new Error('ARCHITECTURE.md: the import table is missing')
  const rows: Row[] = []
  for (let at = head + 2; lines[at]?.startsWith('|'); at++) {
    const [folders, may, outside, ...rest] = lines[at]!.split('|').slice(1, -1)
    if (outside === undefined || rest.length > 0) throw new Error(`ARCHITECTURE.md: three cells, please: ${lines[at]}`)
    for (const { name } of parseCell(folders!.trim())) {
      rows.push({
        folder: fullPath(name),
        may: parseCell(may!.trim()).map(item => ({ path: fullPath(item.name), typesOnly: item.prefix !== '' })),
        outside: parseCell(outside.trim()).map(item => {
          const found = OUTSIDE.find(known => known === item.name)
          if (found === undefined) throw new Error(`ARCHITECTURE.md: "${item.name}" is none of ${OUTSIDE.join(', ')}`)
          return found
        }),
      })
    }
  }
  return rows
}

// ---- the judge --------------------------------------------------------------------------------------------------------

type Code =
  | 'no-row' // a folder that the table does not know
  | 'folder' // a folder that this one may not import
  | 'types-only' // a value from a folder that may only lend types
  | 'package'
  | 'node-module'
  | 'unreadable' // a computed import
  | 'off-tree' // a path out of the project, a URL, a subpath alias
  | 'global' // a global that the folder may not use

interface Violation {
  readonly code: Code
  readonly where: string
  readonly what: string
}

/** The language itself, less `Math`: what the kernel may use. */
const LANGUAGE = new Set(
  `undefined NaN Infinity arguments Object Array String Number BigInt Boolean Symbol Error RangeError TypeError Map Set
  WeakMap WeakSet RegExp JSON Date Promise ArrayBuffer DataView BigUint64Array BigInt64Array Uint8Array Uint16Array
  Uint32Array Int8Array Int16Array Int32Array Float64Array`.split(/\s+/),
)
/** Globals with a clock, a disk or a network, or a way to any global. */
const WORLD = new Set(
  `process performance fetch setTimeout setInterval setImmediate queueMicrotask requestAnimationFrame XMLHttpRequest
  WebSocket EventSource BroadcastChannel Worker SharedWorker localStorage sessionStorage indexedDB caches navigator
  location document window self global globalThis eval Function`.split(/\s+/),
)

/** Whether a path lies in a folder, or is the file, of that name. */
const isWithin = (path: string, place: string): boolean =>
  path === place || path.startsWith(`${place}/`) || path.replace(/\.[cm]?[jt]sx?$/, '') === place

const judge = (table: readonly Row[], path: string, text: string): Violation[] => {
  const found: Violation[] = []
  const report = (code: Code, line: number, what: string): void => {
    found.push({ code, where: `${path}:${line}`, what })
  }
  const row = table.find(({ folder }) => isWithin(path, folder))
  if (row === undefined) return [{ code: 'no-row', where: path, what: 'give its folder a row in ARCHITECTURE.md' }]
  const file = parse(path, text)

  for (const { specifier, kind, typeOnly, line } of readImports(file)) {
    if (specifier === undefined) report('unreadable', line, `${kind} of a computed module`)
    else if (/^\.{1,2}(\/|$)/.test(specifier)) {
      const target = posix.join(posix.dirname(path), specifier.replace(/[?#].*$/, ''))
      const allowed = row.may.filter(item => isWithin(target, item.path))
      if (target.startsWith('../')) report('off-tree', line, specifier)
      else if (isWithin(target, row.folder) || allowed.some(item => typeOnly || !item.typesOnly)) continue
      else report(allowed.length > 0 ? 'types-only' : 'folder', line, `${row.folder} -> ${target}`)
    } else if (isBuiltin(specifier)) {
      if (!row.outside.includes('node')) report('node-module', line, specifier)
    } else if (/^[#/]|:/.test(specifier)) report('off-tree', line, specifier)
    else if (!row.outside.includes('packages')) report('package', line, specifier)
  }

  if (row.outside.includes('world')) return found
  for (const { name, harmlessDate, line } of readGlobals(file)) {
    const base = name.split('.')[0]!
    const isClock = base === 'Date' && !harmlessDate
    const isForbidden = row.folder === 'amm' ? !LANGUAGE.has(base) : WORLD.has(base) || name === 'Math.random'
    if (isClock || isForbidden) report('global', line, name)
  }
  return found
}

// ---- the tests --------------------------------------------------------------------------------------------------------

const SCANNED = ['amm', 'src', 'app', 'docs/examples']

const filesUnder = (folder: string): string[] => {
  if (!existsSync(new URL(folder, root))) return []
  return readdirSync(new URL(`${folder}/`, root), { withFileTypes: true }).flatMap(entry => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return entry.name === 'node_modules' || entry.name === 'dist' ? [] : filesUnder(path)
    return /\.[cm]?[jt]sx?$/.test(entry.name) ? [path] : []
  })
}

describe('imports point one way', () => {
  const table = parseTable(architecture)
  const files = SCANNED.flatMap(filesUnder)

  test('the whole tree keeps to the table in ARCHITECTURE.md', () => {
    const found = files.flatMap(path => judge(table, path, readFileSync(new URL(path, root), 'utf8')))
    expect(found).toEqual([])
  })

  test('it did read the tree: the files of the kernel, their imports and their globals', () => {
    expect(files).toEqual(expect.arrayContaining(['amm/index.ts', 'amm/quote.ts', 'amm/generated/phi-table.ts']))
    const kernel = files.filter(path => path.startsWith('amm/'))
    const parsed = kernel.map(path => parse(path, readFileSync(new URL(path, root), 'utf8')))
    expect(parsed.flatMap(readImports).length).toBeGreaterThan(30)
    const globals = new Set(parsed.flatMap(readGlobals).map(use => use.name))
    for (const name of ['BigInt', 'Number.isInteger', 'BigUint64Array', 'Date.UTC', 'Error']) {
      expect(globals).toContain(name)
    }
  })

  test('the table itself points one way: following it never leads back to where one came from', () => {
    const nextOf = (row: Row): Row[] =>
      table.filter(
        other =>
          other.folder !== row.folder &&
          row.may.some(({ path }) => isWithin(path, other.folder) || isWithin(other.folder, path)),
      )
    const reached = (row: Row, seen = new Set<Row>()): Set<Row> => {
      for (const next of nextOf(row)) if (!seen.has(next)) reached(next, seen.add(next))
      return seen
    }
    expect(table.filter(row => reached(row).has(row)).map(row => row.folder)).toEqual([])
    expect(reached(table.find(row => row.folder === 'src/keeper')!).size).toBeGreaterThan(4)
  })

  test('the kernel depends on nothing, and the world is touched only where the page says so', () => {
    expect(table.find(row => row.folder === 'amm')).toEqual({ folder: 'amm', may: [], outside: [] })
    const sentence = /Only (.+) touch a clock, a disk or a network\./.exec(architecture)![1]!
    const worldly = [...sentence.matchAll(/`(\w+)`/g)].map(match => fullPath(match[1]!))
    expect(worldly.length).toBeGreaterThan(0)
    for (const { folder, outside } of table.filter(row => !row.folder.startsWith('docs/'))) {
      const named = worldly.some(place => isWithin(folder, place))
      expect({ folder, world: outside.includes('world') }).toEqual({ folder, world: named })
      if (!named) expect({ folder, node: outside.includes('node') }).toEqual({ folder, node: false })
    }
  })
})

/** A table of its own, so that what is proven about the judge does not change with the page. */
const SAMPLE = `
| folder | may import | from outside |
|---|---|---|
| \`amm\` | nothing | nothing |
| \`jupiter\` | \`amm/units\`, \`programs-idl\` | nothing |
| \`jlp\`, \`oracle\` | \`amm\`, \`jupiter\` | nothing |
| \`exchange\` | \`amm\`, types of \`oracle\` | nothing |
| \`keeper\` | \`amm\` | \`packages\` |
| \`chain\` | \`jupiter\` | \`packages\`, \`node\`, \`world\` |
| \`cli\`, \`app/api\` | \`src\`, \`amm\` | \`packages\`, \`node\`, \`world\` |
| \`app/web\` | \`amm\`, \`client/codecs\`, types of \`app/api\` | \`packages\`, \`world\` |
`

describe('what the test reports', () => {
  const table = parseTable(SAMPLE)
  const codes = (path: string, text: string): Code[] => judge(table, path, text).map(violation => violation.code)

  test.each<[string, string, string, Code]>([
    ['upward import', 'amm/a.ts', "import { x } from '../src/exchange/x.ts'", 'folder'],
    ['upward import from a folder within', 'amm/generated/a.ts', "import { x } from '../../src/jlp/x.ts'", 'folder'],
    ['import for its effects', 'src/jlp/a.ts', "import '../exchange/x.ts'", 'folder'],
    ['export from', 'src/oracle/a.ts', "export { x } from '../exchange/x.ts'", 'folder'],
    ['export star', 'src/oracle/a.ts', "export * as all from '../chain/index.ts'", 'folder'],
    ['import type', 'src/jupiter/a.ts', "import type { X } from '../oracle/x.ts'", 'folder'],
    ['type query', 'src/jupiter/a.ts', "type X = import('../oracle/x.ts').X", 'folder'],
    ['dynamic import', 'amm/a.ts', "const x = await import('../src/exchange/x.ts')", 'folder'],
    ['dynamic import by template', 'amm/a.ts', 'const x = await import(`../src/exchange/x.ts`)', 'folder'],
    ['computed import', 'app/api/a.ts', 'const load = (name: string) => import(name)', 'unreadable'],
    ['computed template', 'src/cli/a.ts', 'const load = (n: string) => import(`./$' + '{n}.ts`)', 'unreadable'],
    ['require', 'src/jlp/a.ts', "const x = require('../chain/x.ts')", 'folder'],
    ['require.resolve', 'src/jlp/a.ts', "const x = require.resolve('../chain/x.ts')", 'folder'],
    ['import equals', 'src/jlp/a.ts', "import x = require('../chain/x.ts')", 'folder'],
    ['import.meta.resolve', 'src/jlp/a.ts', "const x = import.meta.resolve('../chain/x.ts')", 'folder'],
    ['worker', 'app/web/a.ts', "new Worker(new URL('../../src/keeper/x.ts', import.meta.url))", 'folder'],
    ['computed worker', 'app/web/a.ts', 'const run = (f: string) => new Worker(f)', 'unreadable'],
    ['computed worker URL', 'app/web/a.ts', 'new Worker(new URL(location.hash, import.meta.url))', 'unreadable'],
    ['reference', 'src/jlp/a.ts', '/// <reference path="../chain/x.ts" />', 'folder'],
    ['in JavaScript', 'src/jlp/a.mjs', "import '../chain/x.mjs'", 'folder'],
    [
      'in TSX',
      'app/web/a.tsx',
      "import { x } from '../../src/chain/x.ts'\nexport const A = () => <b>{x}</b>",
      'folder',
    ],
    ['part of the kernel only', 'src/jupiter/a.ts', "import { quote } from '../../amm/quote.ts'", 'folder'],
    ['a name that only begins alike', 'src/jupiter/a.ts', "import '../../amm/units-extra.ts'", 'folder'],
    ['from the tests', 'src/cli/a.ts', "import '../../test/model/pool.ts'", 'folder'],
    ['value where a type may be', 'src/exchange/a.ts', "import { step } from '../oracle/step.ts'", 'types-only'],
    ['inline type still loads', 'src/exchange/a.ts', "import { type S } from '../oracle/step.ts'", 'types-only'],
    ['package in the kernel', 'amm/a.ts', "import Decimal from 'decimal.js'", 'package'],
    ['types of a package in the kernel', 'amm/a.ts', "import type { D } from '@scope/decimal'", 'package'],
    ['package in a pure folder', 'src/exchange/a.ts', "import Decimal from 'decimal.js'", 'package'],
    ['Node module in the kernel', 'amm/a.ts', "import { createHash } from 'node:crypto'", 'node-module'],
    ['Node module without prefix', 'amm/a.ts', "import { readFileSync } from 'fs'", 'node-module'],
    ['Node module in a pure folder', 'src/keeper/a.ts', "import { readFile } from 'node:fs/promises'", 'node-module'],
    ['Node module in the page', 'app/web/a.ts', "import { readFileSync } from 'node:fs'", 'node-module'],
    ['out of the tree', 'src/cli/a.ts', "import '../../../elsewhere/x.ts'", 'off-tree'],
    ['URL', 'app/web/a.ts', "import 'https://example.org/x.js'", 'off-tree'],
    ['alias', 'src/jlp/a.ts', "import '#exchange'", 'off-tree'],
    ['unknown folder', 'src/other/a.ts', 'export const x = 1', 'no-row'],
    ['unknown file', 'src/a.ts', 'export const x = 1', 'no-row'],
    ['Math in the kernel', 'amm/a.ts', 'export const x = Math.min(1, 2)', 'global'],
    ['Math by another name', 'amm/a.ts', 'const { min } = Math\nexport const x = min(1, 2)', 'global'],
    ['Date.now', 'amm/a.ts', 'export const x = Date.now()', 'global'],
    ['Date["now"]', 'amm/a.ts', "export const x = Date['now']()", 'global'],
    ['new Date()', 'amm/a.ts', 'export const x = new Date()', 'global'],
    ['Date by another name', 'amm/a.ts', 'const Clock = Date\nexport const x = new Clock()', 'global'],
    ['process', 'amm/a.ts', 'export const x = process.env', 'global'],
    ['performance', 'amm/a.ts', 'export const x = performance.now()', 'global'],
    ['fetch', 'amm/a.ts', "export const x = fetch('/')", 'global'],
    ['setTimeout', 'amm/a.ts', 'setTimeout(() => {}, 1)', 'global'],
    ['Buffer', 'amm/a.ts', "export const x = Buffer.from('')", 'global'],
    ['globalThis', 'amm/a.ts', "export const x = globalThis['fetch']", 'global'],
    ['console', 'amm/a.ts', "console.log('')", 'global'],
    ['a default value', 'amm/a.ts', 'export const f = (random = Math.random) => random()', 'global'],
    ['shorthand', 'amm/a.ts', 'export const tools = { fetch }', 'global'],
    ['base class', 'amm/a.ts', 'export class A extends EventTarget {}', 'global'],
    ['declared only', 'amm/a.ts', 'declare const fetch: () => void\nfetch()', 'global'],
    ['shadowed elsewhere', 'amm/a.ts', 'export const f = (fetch: () => void) => fetch()\nfetch()', 'global'],
    ['clock in a pure folder', 'src/exchange/a.ts', 'export const now = () => Date.now()', 'global'],
    ['network in a pure folder', 'src/keeper/a.ts', "export const x = fetch('/')", 'global'],
    ['chance in a pure folder', 'src/jlp/a.ts', 'export const x = Math.random()', 'global'],
  ])('%s', (_, path, text, code) => {
    expect(codes(path, text)).toEqual([code])
  })

  test.each<[string, string, string]>([
    ['a neighbour', 'amm/a.ts', "import { x } from './fixed.ts'\nexport * from './generated/phi-table.ts'"],
    ['a neighbour, dynamically', 'src/cli/a.ts', "const x = await import('./b.ts')"],
    ['a folder below', 'src/exchange/a.ts', "import { quote } from '../../amm/index.ts'"],
    ['one file of a folder', 'src/jupiter/a.ts', "import { jlpAtoms } from '../../amm/units.ts'"],
    ['one folder where a file is named', 'app/web/a.ts', "import { x } from '../../src/client/codecs/pool.ts'"],
    [
      'types',
      'src/exchange/a.ts',
      "import type { Step } from '../oracle/step.ts'\ntype S = import('../oracle/s.ts').S",
    ],
    ['all of src', 'app/api/a.ts', "import { x } from '../../src/keeper/x.ts'\nimport { y } from '../../amm/index.ts'"],
    ['pinned data', 'src/jupiter/a.ts', "import idl from '../../programs-idl/sunder.json' with { type: 'json' }"],
    ['the world at the edge', 'src/chain/a.ts', "import 'node:fs'\nimport '@scope/x'\nexport const now = Date.now()"],
    ['data beside the code', 'src/cli/a.ts', "const path = new URL('../../test/vectors/a.json', import.meta.url)"],
    ['dates as arithmetic', 'amm/a.ts', 'export const x = new Date(Date.UTC(2024, 11, 0)).toISOString()'],
    ['names of its own', 'amm/a.ts', 'export const f = (fetch: () => void, o: { process: 1 }) => [fetch(), o.process]'],
    ['members and keys', 'amm/a.ts', 'export const f = (o: { fetch(): void }) => ({ Math: o.fetch() })'],
    ['types of globals', 'amm/a.ts', 'export type F = typeof fetch\nexport interface A { b: Buffer; c: Math }'],
    ['Math outside the kernel', 'src/jlp/a.ts', 'export const x = Math.sqrt(2)'],
  ])('nothing: %s', (_, path, text) => {
    expect(judge(table, path, text)).toEqual([])
  })

  test('error: a table that it cannot read', () => {
    const page = (row: string): string => `| folder | may import | from outside |\n|---|---|---|\n${row}\n`
    expect(() => parseTable('| folder | may import |')).toThrow('missing')
    expect(() => parseTable(page('| `jlp` | amm | nothing |'))).toThrow('cannot read "amm"')
    expect(() => parseTable(page('| `jlp` | anything | nothing |'))).toThrow('cannot read')
    expect(() => parseTable(page('| `jlp` | `amm` | `disk` |'))).toThrow('"disk" is none of')
    expect(() => parseTable(page('| `jlp` | `amm` |'))).toThrow('three cells')
  })
})
