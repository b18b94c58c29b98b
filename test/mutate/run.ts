/**
 * `npm run mutate`: breaks the kernel on purpose, one small change at a time, and counts which changes the tests notice.
 * Each mutant runs in a copy of the project: first the smoke campaigns against the independent model, then the laws. Only what
 * survives both is shown to the golden vectors, and counted apart: they notice any change, but do not know what is right.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { readOptions } from '../helpers/options.ts'

const USAGE = `usage: npm run mutate -- [--file NAME] [--sample N] [--json]
  --file NAME   only amm/NAME.ts
  --sample N    every N-th mutant only, default 1`

const fail = (message: string): never => {
  console.error(`${message}\n${USAGE}`)
  process.exit(2)
}
const {
  file: onlyFile,
  sample: sampleText,
  json,
  help,
} = readOptions(fail, {
  file: { type: 'string' },
  sample: { type: 'string', default: '1' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
})
if (help) {
  console.log(USAGE)
  process.exit(0)
}
const sample = Number(sampleText)
if (!Number.isInteger(sample) || sample < 1) fail('--sample takes a whole number from 1')

interface Mutant {
  readonly file: string
  readonly start: number
  readonly end: number
  readonly replacement: string
  readonly line: number
  readonly was: string
}

const OPERATORS: ReadonlyMap<ts.SyntaxKind, string> = new Map([
  [ts.SyntaxKind.PlusToken, '-'],
  [ts.SyntaxKind.MinusToken, '+'],
  [ts.SyntaxKind.AsteriskToken, '+'],
  [ts.SyntaxKind.SlashToken, '*'],
  [ts.SyntaxKind.LessThanToken, '<='],
  [ts.SyntaxKind.LessThanEqualsToken, '<'],
  [ts.SyntaxKind.GreaterThanToken, '>='],
  [ts.SyntaxKind.GreaterThanEqualsToken, '>'],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, '!=='],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, '==='],
  [ts.SyntaxKind.AmpersandAmpersandToken, '||'],
  [ts.SyntaxKind.BarBarToken, '&&'],
  [ts.SyntaxKind.PlusEqualsToken, '-='],
  [ts.SyntaxKind.MinusEqualsToken, '+='],
])

const mutantsOf = (file: string, text: string): Mutant[] => {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true)
  const found: Mutant[] = []
  const add = (node: ts.Node, replacement: string): void => {
    const start = node.getStart()
    const line = source.getLineAndCharacterOfPosition(start).line + 1
    found.push({ file, start, end: node.getEnd(), replacement, line, was: node.getText() })
  }
  const visit = (node: ts.Node): void => {
    // Types, imports and messages carry no behaviour that a test should pin.
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isInterfaceDeclaration(node)) return
    if (ts.isNewExpression(node) && node.expression.getText() === 'KernelError') return
    if (ts.isBinaryExpression(node)) {
      const other = OPERATORS.get(node.operatorToken.kind)
      if (other !== undefined) add(node.operatorToken, other)
    } else if (ts.isConditionalExpression(node)) {
      const [yes, no] = [node.whenTrue.getText(), node.whenFalse.getText()]
      add(node, `(${node.condition.getText()}) ? (${no}) : (${yes})`)
    } else if (ts.isBigIntLiteral(node)) {
      add(node, `${BigInt(node.text.slice(0, -1).replaceAll('_', '')) + 1n}n`)
    } else if (ts.isNumericLiteral(node)) {
      add(node, `${Number(node.text) + 1}`)
    } else if (ts.isStringLiteral(node) && (node.text === 'up' || node.text === 'down')) {
      add(node, node.text === 'up' ? "'down'" : "'up'")
    } else if (node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword) {
      add(node, node.kind === ts.SyntaxKind.TrueKeyword ? 'false' : 'true')
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'sunder-mutate-'))
for (const name of ['amm', 'test', 'docs', 'package.json', 'tsconfig.json', 'vitest.config.ts']) {
  cpSync(join(root, name), join(work, name), { recursive: true })
}
symlinkSync(join(root, 'node_modules'), join(work, 'node_modules'))

const passes = (tests: readonly string[]): boolean =>
  spawnSync('node_modules/.bin/vitest', ['run', '--bail=1', '--reporter=dot', ...tests], {
    cwd: work,
    timeout: 240_000, // a mutant that hangs is noticed, too
    stdio: 'ignore',
  }).status === 0

const MODEL = ['test/campaigns', 'test/amm/worked-figures.test.ts', 'test/amm/fixed.test.ts']
const LAWS = ['test/laws']
const VECTORS = ['test/vectors']
if (!passes([...MODEL, ...LAWS, ...VECTORS])) fail('The tests fail without any mutation: nothing to measure')

const files = readdirSync(join(root, 'amm')).filter(f => f.endsWith('.ts') && f !== 'index.ts' && f !== 'errors.ts')
const mutants = files
  .filter(file => onlyFile === undefined || file === `${onlyFile}.ts`)
  .flatMap(file => mutantsOf(file, readFileSync(join(root, 'amm', file), 'utf8')))
  .filter((_, i) => i % sample === 0)

if (mutants.length === 0) fail(`no mutants: is there an amm/${onlyFile}.ts?`)

const survivors: Mutant[] = []
let byVectorsOnly = 0
const perFile: Record<string, { mutants: number; noticed: number }> = {}
for (const [i, mutant] of mutants.entries()) {
  const path = join(work, 'amm', mutant.file)
  const text = readFileSync(path, 'utf8')
  writeFileSync(path, text.slice(0, mutant.start) + mutant.replacement + text.slice(mutant.end))
  const unnoticed = passes(MODEL) && passes(LAWS)
  if (unnoticed) {
    if (passes(VECTORS)) survivors.push(mutant)
    else byVectorsOnly++
  }
  writeFileSync(path, text)
  perFile[mutant.file] ??= { mutants: 0, noticed: 0 }
  const count = perFile[mutant.file]!
  count.mutants++
  if (!unnoticed) count.noticed++
  process.stderr.write(`\r${i + 1} of ${mutants.length}, ${survivors.length} survived `)
}
rmSync(work, { recursive: true })

const noticed = mutants.length - survivors.length - byVectorsOnly
const share = ((100 * noticed) / mutants.length).toFixed(1)
if (json) {
  console.log(JSON.stringify({ mutants: mutants.length, noticed, byVectorsOnly, perFile, survivors }))
} else {
  console.log(
    `\n${noticed} of ${mutants.length} mutants noticed by model and laws (${share} %), ${byVectorsOnly} more by the vectors alone`,
  )
  for (const [file, count] of Object.entries(perFile))
    console.log(`${file.padEnd(16)}${count.noticed} of ${count.mutants}`)
  for (const s of survivors)
    console.log(`amm/${s.file}:${s.line}  ${s.was.slice(0, 60)}  ->  ${s.replacement.slice(0, 60)}`)
}
