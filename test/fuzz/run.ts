/** `npm run fuzz`: the random campaigns with fresh seeds, round after round, until the time is up or a law breaks. */
import { CAMPAIGNS } from '../campaigns/index.ts'
import { Random } from '../generate/random.ts'
import { readOptions } from '../helpers/options.ts'
import { forgetChains } from './forget.ts'

const USAGE = `usage: npm run fuzz -- [--minutes N] [--seed S] [--campaign NAME] [--json]
  --minutes N      how long, default 5
  --seed S         first seed, default the present time; a failure prints the seed of its round
  --campaign NAME  only one of: ${Object.keys(CAMPAIGNS).join(', ')}
  --json           one object at the end`

const fail = (message: string): never => {
  console.error(`${message}\n${USAGE}`)
  process.exit(2)
}
const {
  minutes: minutesText,
  seed: seedText,
  campaign: only,
  json,
  help,
} = readOptions(fail, {
  minutes: { type: 'string', default: '5' },
  seed: { type: 'string', default: `${Date.now()}` },
  campaign: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
})
if (help) {
  console.log(USAGE)
  process.exit(0)
}
const minutes = Number(minutesText)
if (!(minutes > 0)) fail('--minutes takes a number above 0')
if (!/^\d+$/.test(seedText)) fail('--seed takes a whole number')
if (only !== undefined && CAMPAIGNS[only] === undefined) fail(`no campaign named ${only}`)

const totals: Record<string, Record<string, number>> = {}
const until = Date.now() + minutes * 60_000
let seed = BigInt(seedText)
for (let round = 1; Date.now() < until; round++) {
  for (const [name, { run, round: size }] of Object.entries(CAMPAIGNS)) {
    if (only !== undefined && name !== only) continue
    try {
      const counts = run(new Random(seed), size)
      totals[name] ??= {}
      const total = totals[name]
      for (const [what, count] of Object.entries(counts)) {
        total[what] = what.startsWith('max') ? Math.max(total[what] ?? count, count) : (total[what] ?? 0) + count
      }
    } catch (error) {
      console.error(`\nBROKEN in campaign ${name}; again with: npm run fuzz -- --campaign ${name} --seed ${seed}`)
      throw error
    }
    seed += 1n
    await forgetChains()
  }
  if (process.stderr.isTTY) process.stderr.write(`\rround ${round}, next seed ${seed} `)
}
if (json) {
  console.log(JSON.stringify({ firstSeed: seedText, nextSeed: `${seed}`, minutes, totals }))
} else {
  console.log(`\nseeds ${seedText} to ${seed - 1n}, ${minutes} min, nothing broken`)
  for (const [name, counts] of Object.entries(totals)) {
    console.log(
      `${name.padEnd(16)}${Object.entries(counts)
        .map(([what, n]) => `${what} ${n.toLocaleString('en')}`)
        .join(', ')}`,
    )
  }
}
