/** `npm run fuzz:program`: the on-chain program beside the engine, life after life, until enough was asked or something differs. */
import { newStats } from '../campaigns/exchange-desk.ts'
import { programLives } from '../campaigns/program.ts'
import { Random } from '../generate/random.ts'
import { readOptions } from '../helpers/options.ts'
import { forgetChains } from './forget.ts'

const USAGE = `usage: npm run fuzz:program -- [--instructions N] [--minutes N] [--seed S] [--json]
  --instructions N  how many to ask, default 100000
  --minutes N       stop after so long, default never
  --seed S          first seed, default the present time; a difference prints the seed of its life
  --json            one object at the end`

const fail = (message: string): never => {
  console.error(`${message}\n${USAGE}`)
  process.exit(2)
}
const options = readOptions(fail, {
  instructions: { type: 'string', default: '100000' },
  minutes: { type: 'string' },
  seed: { type: 'string', default: `${Date.now()}` },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
})
if (options.help) {
  console.log(USAGE)
  process.exit(0)
}
const wanted = Number(options.instructions)
const minutes = options.minutes === undefined ? Number.POSITIVE_INFINITY : Number(options.minutes)
if (!(wanted > 0)) fail('--instructions takes a number above 0')
if (!(minutes > 0)) fail('--minutes takes a number above 0')
if (!/^\d+$/.test(options.seed)) fail('--seed takes a whole number')

const stats = newStats()
const asked = (): number => stats.applied + stats.refused
const started = Date.now()
const seconds = (): number => (Date.now() - started) / 1000
let seed = BigInt(options.seed)
for (; asked() < wanted && seconds() < minutes * 60; seed += 1n) {
  try {
    programLives(new Random(seed), asked() + 1, stats)
    await forgetChains()
  } catch (error) {
    console.error(`\nDIFFERENT; again with: npm run fuzz:program -- --instructions 1 --seed ${seed}`)
    throw error
  }
  if (process.stderr.isTTY)
    process.stderr.write(`\r${asked().toLocaleString('en')} instructions, next seed ${seed + 1n} `)
}

const sorted = (counts: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...counts].sort(([, a], [, b]) => b - a))
const figures = {
  firstSeed: options.seed,
  nextSeed: `${seed}`,
  asked: asked(),
  applied: stats.applied,
  lives: stats.lives,
  perSecond: Math.round(asked() / seconds()),
  instructions: sorted(stats.kinds),
  refusals: sorted(stats.codes),
}
console.log(options.json ? JSON.stringify(figures) : figures)
