/** `sunder pool`: Jupiter's pool account, its custodies and positions as a readable table. */
import type { Command } from 'commander'
import { borrowRate, debtTokens, theoreticallyOwned, totalLocked, utilisation } from '../jlp/index.ts'
import type { CustodyFacts } from '../jupiter/index.ts'
import { type ReadAccounts, readAccountsFile, readAccountsFromNode } from './accounts.ts'
import { dollars, grouped, percent, table, time, toJson, UsageError } from './output.ts'

const tokens = (atoms: bigint, { decimals }: CustodyFacts): string =>
  grouped(Number(atoms) / 10 ** decimals, decimals > 6 ? 4 : 0)

const poolLines = ({ pool, slot, missing }: ReadAccounts): string[] => {
  const head = `slot ${slot ?? 'unknown'}${missing > 0 ? `, ${missing} of the accounts asked for do not exist` : ''}`
  if (pool === undefined) return [head, 'no pool account in this answer']
  const { aumUsd, limit, fees, poolApr } = pool
  return [
    head,
    table(
      [
        ['pool', pool.name],
        ['AUM', `${dollars(aumUsd)} at ${time(pool.aumUsdUpdatedAt)}`],
        ['AUM limit', `${dollars(limit.maxAumUsd, 0)}, ${dollars(limit.maxAumUsd - aumUsd, 0)} of room`],
        ['weight band', `target ± ${percent(Number(limit.tokenWeightageBufferBps) / 100, 0)} of it`],
        ['official APR', `${percent(Number(poolApr.feeAprBps) / 100)}, printed ${time(poolApr.lastUpdated)}`],
        ['fees of the week', `${dollars(poolApr.realizedFeeUsd)} to the pool since then`],
        ['mint and burn fee', `${fees.addRemoveLiquidityBps} bp ± ${fees.taxBps} bp by weight`],
        [
          'swap fee',
          `${fees.swapBps} bp ± ${fees.taxBps} bp; stables ${fees.stableSwapBps} ± ${fees.stableSwapTaxBps} bp`,
        ],
        ['protocol share', percent(Number(fees.protocolShareBps) / 100, 0)],
      ],
      'l',
    ),
  ]
}

const custodyTable = ({ custodies }: ReadAccounts): string =>
  table([
    [
      'custody',
      'target',
      'owned',
      'locked',
      'lent',
      'utilised',
      'borrow APR',
      'long (guaranteed)',
      'short',
      'fees held',
    ],
    ...custodies.map(({ symbol, facts }) => [
      symbol,
      percent(Number(facts.targetRatioBps) / 100, 0),
      tokens(theoreticallyOwned(facts), facts),
      tokens(totalLocked(facts), facts),
      tokens(debtTokens(facts), facts),
      percent(Number(utilisation(facts)) / 1e7),
      percent((Number(borrowRate(facts)) * 8760) / 1e7),
      dollars(facts.assets.guaranteedUsd, 0),
      dollars(facts.assets.globalShortSizes, 0),
      tokens(facts.assets.feesReserves, facts),
    ]),
  ])

const positionTable = ({ positions, custodies }: ReadAccounts): string =>
  table(
    [
      ['position', 'market', 'side', 'size', 'entry', 'collateral', 'opened'],
      ...positions.map(({ address, facts }) => [
        address,
        custodies.find(c => c.address === facts.custody)?.symbol ?? facts.custody.slice(0, 6),
        facts.sizeUsd === 0n ? 'closed' : facts.side,
        dollars(facts.sizeUsd),
        dollars(facts.price, 4),
        dollars(facts.collateralUsd),
        time(facts.openTime),
      ]),
    ],
    'lllr',
  )

export const addPoolCommand = (program: Command): void => {
  program
    .command('pool')
    .description("Jupiter's pool account, its custodies and positions, from a JSON-RPC answer or a node")
    .option('--file <file>', 'an answer to getAccountInfo or getMultipleAccounts, base64-encoded')
    .option('--rpc <url>', "a node's JSON-RPC address: asks for the pool and all its custodies")
    .option('--json', 'every field, amounts as decimal strings')
    .action(async ({ file, rpc, json }: { file?: string; rpc?: string; json?: boolean }) => {
      if ((file === undefined) === (rpc === undefined)) throw new UsageError('give either --file or --rpc')
      const read = file === undefined ? await readAccountsFromNode(rpc!) : readAccountsFile(file)
      if (json) {
        console.log(toJson(read))
        return
      }
      const parts = [...poolLines(read)]
      if (read.custodies.length > 0) parts.push('', custodyTable(read))
      if (read.positions.length > 0) parts.push('', positionTable(read))
      if (read.prices.length > 0) {
        const rows = read.prices.map(p => [p.feed, `${p.price}e${p.expo}`, time(p.timestamp)])
        parts.push('', table([['price feed', 'USD', 'at'], ...rows]))
      }
      console.log(parts.join('\n'))
    })
}
