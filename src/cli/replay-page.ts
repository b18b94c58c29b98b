/** One self-contained page about a replay: figures and charts, no script, nothing loaded from anywhere. */
import { formatTime } from '../../amm/index.ts'
import { ACTOR_KINDS, type ActorKind, type Report } from '../strategy/replay/index.ts'
import { chart, escapeText } from './chart.ts'
import { apy, figuresOf, identityOf, usersOf } from './replay-text.ts'

const STYLE = `
:root { color-scheme: light dark; --ink: #1b2430; --soft: #667085; --line: #d9dee6; --paper: #ffffff;
  --c0: #0b6bcb; --c1: #c2410c; --c2: #0f8a5f; --c3: #8b3fb5; --c4: #a16207; --c5: #be185d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #97a3b4; --line: #303a48; --paper: #12171f;
  --c0: #5aa9f5; --c1: #f59e63; --c2: #4cc79a; --c3: #c58be8; --c4: #e0b44c; --c5: #f27ab0; } }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
p.note { color: var(--soft); margin: .25rem 0 1rem; }
figure { margin: 1.5rem 0; } figcaption { font-weight: 600; margin-bottom: .25rem; }
small { font-weight: 400; } svg { width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 11px; } .grid { stroke: var(--line); }
.line { fill: none; stroke-width: 1.8; stroke: currentColor; }
.c0 { color: var(--c0); } .c1 { color: var(--c1); } .c2 { color: var(--c2); }
.c3 { color: var(--c3); } .c4 { color: var(--c4); } .c5 { color: var(--c5); }
.key { margin-left: .6rem; } .key::before { content: ''; display: inline-block; width: .9rem; height: .2rem; margin-right: .3rem;
  vertical-align: middle; background: currentColor; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } thead th { color: var(--soft); font-weight: 500; }
.words td:last-child { text-align: left; white-space: normal; }
`

const rows = (cells: readonly (readonly string[])[], kind = ''): string => {
  const [head = [], ...body] = cells
  const th = head.map(cell => `<th scope="col">${escapeText(cell)}</th>`).join('')
  const tr = body.map(row => `<tr>${row.map(cell => `<td>${escapeText(cell)}</td>`).join('')}</tr>`).join('')
  return `<div class="wide ${kind}"><table><thead><tr>${th}</tr></thead><tbody>${tr}</tbody></table></div>`
}

const SHORT: Readonly<Record<ActorKind, string>> = {
  lp: 'LPs',
  saver: 'savers',
  long: 'longs',
  short: 'shorts',
  spot: 'spot traders',
  arbitrageur: 'arbitrageurs',
}

const inJlp = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 0 })

export const replayPage = (r: Report): string => {
  const times = r.days.map(d => d.time)
  const atoms = (value: bigint): number => Number(value) / 1e6
  const charts = [
    chart({
      title: 'APY',
      times,
      fromZero: true,
      format: apy,
      lines: [
        { name: 'implied', values: r.days.map(d => d.impliedApy) },
        { name: 'realised, 7 days', values: r.days.map(d => d.realisedApy) },
        { name: 'leading', values: r.days.map(d => d.leadingApy) },
      ],
    }),
    chart({
      title: 'YT price, ST',
      times,
      fromZero: true,
      format: value => value.toFixed(3),
      lines: [{ name: 'YT', values: r.days.map(d => d.ytPrice) }],
    }),
    chart({
      title: 'Profit so far by kind of user, JLP',
      times,
      fromZero: true,
      format: inJlp,
      lines: ACTOR_KINDS.map(kind => ({ name: SHORT[kind], values: r.days.map(d => atoms(d.profit[kind])) })),
    }),
    chart({
      title: 'Depth, YT per basis point',
      times,
      fromZero: true,
      format: inJlp,
      lines: [{ name: 'depth', values: r.days.map(d => atoms(d.depthPerBp)) }],
    }),
    chart({
      title: 'Open interest, YT',
      times,
      fromZero: true,
      format: inJlp,
      lines: [
        { name: 'long', values: r.days.map(d => atoms(d.longYt)) },
        { name: 'short', values: r.days.map(d => atoms(d.shortYt)) },
      ],
    }),
  ]
  const liquidations = r.liquidations.map(l => [
    formatTime(l.time),
    l.owner,
    l.kind === 'liquidated' ? 'liquidated' : 'taken over',
    inJlp(atoms(l.yt)),
    (Number(l.penalty) / 1e6).toFixed(2),
  ])
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${r.market}: replay</title><style>${STYLE}</style></head><body>
<h1>${r.market}, replayed</h1>
<p class="note">${formatTime(r.from)} to ${formatTime(r.to)}, ${r.coupons} coupons, seed ${r.seed}. Coupons from ${escapeText(r.history)} (${r.sources.coupons});
the order flow is simulated. Profits are in JLP, against holding JLP. Nothing here was traded on a chain.</p>
${charts.join('\n')}
<h2>Who made what</h2>
${rows(usersOf(r))}
<h2>Figures</h2>
${rows([['', '', ''], ...figuresOf(r)], 'words')}
<p>${escapeText(identityOf(r))}.</p>
<h2>Liquidations</h2>
${liquidations.length === 0 ? '<p>None.</p>' : `<details><summary>${liquidations.length} of them</summary>${rows([['time', 'account', '', 'YT', 'penalty, JLP'], ...liquidations])}</details>`}
</body></html>
`
}
