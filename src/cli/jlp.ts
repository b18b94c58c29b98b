/** `sunder jlp`: the pool behind JLP: virtual price, weights, what minting, redeeming and swapping cost, and the documents' estimate. */
import { type Command, InvalidArgumentError } from 'commander'
import { KernelError, parseAtoms } from '../../amm/index.ts'
import {
  createJlpPool,
  custodyAum,
  eraAt,
  estimateYield,
  holdingsOf,
  type JlpCustody,
  type JlpPool,
  jlpMarket,
  poolAum,
  quoteMint,
  quoteRedeem,
  quoteSwap,
  type Rejected,
  realStableShare,
  weightBand,
} from '../jlp/index.ts'
import {
  type Bps,
  type JlpAtoms,
  KNOWN_CUSTODIES,
  type TokenAtoms,
  type UnixSeconds,
  type UsdX6,
} from '../jupiter/index.ts'
import { CUSTODIES_2025, JLP_SUPPLY_2025, POOL_2025 } from '../jupiter/recorded/pool-2025-07-07.ts'
import { readAccountsFile, readAccountsFromNode } from './accounts.ts'
import { dollars, grouped, percent, table, toJson, UsageError } from './output.ts'

/** Closing prices of 2025-07-07, 13:00 to 14:00 UTC (hourly prices of an exchange); the stables at a dollar. */
const PRICES_2025: Readonly<Record<string, string>> = {
  SOL: '153.07',
  ETH: '2566.01',
  BTC: '108536.84',
  USDC: '1',
  USDT: '1',
}
const RECORDED = 'recorded 2025-07-07 13:06 UTC, closing prices of that hour'

interface Options {
  readonly file?: string
  readonly rpc?: string
  readonly price: Readonly<Record<string, string>>
  readonly supply?: bigint
  readonly json?: boolean
}

const decimal = (text: string): string => {
  if (!/^\d{1,15}(\.\d{1,12})?$/.test(text)) throw new InvalidArgumentError('Give a plain number such as 1500 or 0.25.')
  return text
}
const atoms = (text: string): bigint => {
  try {
    return parseAtoms(text)
  } catch (error) {
    if (error instanceof KernelError) throw new InvalidArgumentError(error.message)
    throw error
  }
}
const prices = (text: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
  const [, symbol, usd] = /^([A-Za-z]+)=(.+)$/.exec(text) ?? []
  if (symbol === undefined) throw new InvalidArgumentError('Give a price as SOL=153.07.')
  return { ...before, [symbol]: decimal(usd!) }
}

/** '153.07' as 15307e-2, as an oracle writes it. */
const priceOf = (text: string): { price: bigint; expo: number } => {
  const [whole, fraction = ''] = text.split('.')
  return { price: BigInt(`${whole}${fraction}`), expo: fraction.length === 0 ? 0 : -fraction.length }
}

const symbolOf = (address: string): string =>
  KNOWN_CUSTODIES.find(k => k.custody === address)?.symbol ?? address.slice(0, 6)

/** The pool asked for: from a file or a node with prices and supply given, or the recorded one. */
const readPool = async (options: Options): Promise<{ pool: JlpPool; from: string }> => {
  if (options.file !== undefined && options.rpc !== undefined) throw new UsageError('give --file or --rpc, not both')
  const priced = (address: string, defaults: Readonly<Record<string, string>>): { price: bigint; expo: number } => {
    const symbol = symbolOf(address)
    const text = options.price[symbol] ?? defaults[symbol]
    if (text === undefined) throw new UsageError(`give the price of ${symbol}: --price ${symbol}=...`)
    return priceOf(text)
  }
  if (options.file === undefined && options.rpc === undefined) {
    const custodies = CUSTODIES_2025.map(({ address, facts }) => ({
      address,
      facts,
      price: priced(address, PRICES_2025),
    }))
    const supply = (options.supply ?? JLP_SUPPLY_2025) as JlpAtoms
    return { pool: createJlpPool({ facts: POOL_2025.facts, custodies, supply }), from: RECORDED }
  }
  const read = options.file === undefined ? await readAccountsFromNode(options.rpc!) : readAccountsFile(options.file)
  if (read.pool === undefined) throw new UsageError('there is no pool account in this answer')
  if (options.supply === undefined) throw new UsageError('give the supply of JLP: --supply ...')
  const dollar: Record<string, string> = { USDC: '1', USDT: '1', JupUSD: '1' }
  const custodies = read.custodies.map(({ address, facts }) => ({ address, facts, price: priced(address, dollar) }))
  const pool = createJlpPool({ facts: read.pool, custodies, supply: options.supply as JlpAtoms })
  return { pool, from: `slot ${read.slot ?? 'unknown'}, prices as given` }
}

const custodyBySymbol = (pool: JlpPool, symbol: string): JlpCustody => {
  const found = pool.custodies.find(({ address }) => symbolOf(address).toLowerCase() === symbol.toLowerCase())
  if (found === undefined) {
    throw new UsageError(`the pool has no ${symbol}; it has ${pool.custodies.map(c => symbolOf(c.address)).join(', ')}`)
  }
  return found
}

const tokenAtomsOf = (text: string, { facts }: JlpCustody): TokenAtoms => {
  const [whole, fraction = ''] = text.split('.')
  if (fraction.length > facts.decimals) throw new UsageError(`at most ${facts.decimals} decimals`)
  return BigInt(`${whole}${fraction.padEnd(facts.decimals, '0')}`) as TokenAtoms
}
const tokens = (amount: bigint, { facts }: JlpCustody): string =>
  grouped(Number(amount) / 10 ** facts.decimals, Math.min(facts.decimals, 6))

const refusal = ({ code, numbers }: Rejected): string =>
  `refused: ${code}${
    Object.keys(numbers).length === 0
      ? ''
      : ` (${Object.entries(numbers)
          .map(([k, v]) => `${k} ${v}`)
          .join(', ')})`
  }`

/** Fee of minting or redeeming about `usd` dollars' worth, in bp, or why it is refused. */
const feeFor = (pool: JlpPool, custody: JlpCustody, usd: bigint, what: 'mint' | 'redeem'): string => {
  const price = Number(custody.price.price) * 10 ** custody.price.expo
  const quote =
    what === 'mint'
      ? quoteMint(pool, {
          custody: custody.address,
          amount: BigInt(Math.floor((Number(usd) / price) * 10 ** custody.facts.decimals)) as TokenAtoms,
        })
      : quoteRedeem(pool, {
          custody: custody.address,
          lp: ((usd * 1_000_000n * pool.supply) / poolAum(pool, 'down')) as JlpAtoms,
        })
  return quote.kind === 'quoted' ? `${quote.feeBps}` : 'refused'
}

const SIZES = [1000n, 100_000n, 1_000_000n]

const showPool = (pool: JlpPool, from: string): string => {
  const aum = poolAum(pool, 'down')
  const { minting, virtualPrice, room } = jlpMarket(pool, 0n as Bps)
  const { tokenWeightageBufferBps } = pool.facts.limit
  const weights = pool.custodies.map(custody => {
    const usd = custodyAum(custody, 'down')
    const { lowest, highest } = weightBand(custody.facts.targetRatioBps, tokenWeightageBufferBps)
    const fees = (['mint', 'redeem'] as const).flatMap(what => SIZES.map(size => feeFor(pool, custody, size, what)))
    return [
      symbolOf(custody.address),
      dollars(usd, 0),
      percent((Number(usd) / Number(aum)) * 100),
      percent(Number(custody.facts.targetRatioBps) / 100, 1),
      `${(Number(lowest) / 1e6).toFixed(1)}-${(Number(highest) / 1e6).toFixed(1)} %`,
      ...fees,
    ]
  })
  return [
    from,
    table(
      [
        ['virtual price', dollars(virtualPrice, 6), `market price too while minting is ${minting}`],
        ['AUM', dollars(aum), `${dollars(room, 0)} of room to the limit`],
        ['supply', `${grouped(Number(pool.supply) / 1e6)} JLP`, ''],
        [
          'real stablecoin share',
          percent(Number(realStableShare(holdingsOf(pool))) / 1e7),
          'crypto lent to longs counts as dollars',
        ],
      ],
      'lrl',
    ),
    '',
    'fees in bp by size in dollars',
    table([
      [
        'custody',
        'value',
        'weight',
        'target',
        'allowed',
        ...SIZES.map(s => `mint ${grouped(Number(s), 0)}`),
        ...SIZES.map(s => `redeem ${grouped(Number(s), 0)}`),
      ],
      ...weights,
    ]),
  ].join('\n')
}

const withState = (command: Command): Command =>
  command
    .option('--file <file>', 'a JSON-RPC answer with the pool and all its custodies')
    .option('--rpc <url>', "a node's JSON-RPC address")
    .option('--price <symbol=usd>', 'an oracle price; again for each token', prices, {})
    .option('--supply <jlp>', 'JLP in existence, with --file or --rpc', atoms)
    .option('--json', 'as JSON')

export const addJlpCommand = (program: Command): void => {
  const jlp = program.command('jlp').description('the pool behind JLP; by default as it was recorded on 2025-07-07')

  withState(jlp.command('show', { isDefault: true }).description('virtual price, weights, fees by size')).action(
    async (options: Options) => {
      const { pool, from } = await readPool(options)
      if (!options.json) return console.log(showPool(pool, from))
      const custodies = pool.custodies.map(c => ({
        symbol: symbolOf(c.address),
        aumUsd: custodyAum(c, 'down'),
        targetBps: c.facts.targetRatioBps,
      }))
      console.log(
        toJson({
          from,
          aumUsd: poolAum(pool, 'down'),
          ...jlpMarket(pool, 0n as Bps),
          supply: pool.supply,
          realStableShareX9: realStableShare(holdingsOf(pool)),
          custodies,
        }),
      )
    },
  )

  /** Prints a quote's rows, or its refusal with exit code 1; the next state is left out of the JSON. */
  const show = (
    quote: { kind: 'quoted'; next: JlpPool } | Rejected,
    rows: () => string[][],
    { json }: Options,
    from: string,
  ): void => {
    if (json) {
      const { next, ...figures } = quote as { next?: JlpPool }
      console.log(toJson(figures))
    } else if (quote.kind === 'quoted') {
      console.log(`${from}\n${table(rows(), 'lr')}`)
    }
    if (quote.kind === 'rejected') {
      if (!json) console.error(refusal(quote))
      process.exitCode = 1
    }
  }

  withState(
    jlp
      .command('mint')
      .description('JLP for a deposit')
      .requiredOption('--token <symbol>', 'such as SOL')
      .requiredOption('--amount <tokens>', 'how many', decimal),
  ).action(async (options: Options & { token: string; amount: string }) => {
    const { pool, from } = await readPool(options)
    const custody = custodyBySymbol(pool, options.token)
    const quote = quoteMint(pool, { custody: custody.address, amount: tokenAtomsOf(options.amount, custody) })
    const rows = (): string[][] =>
      quote.kind === 'rejected'
        ? []
        : [
            ['JLP minted', grouped(Number(quote.lp) / 1e6, 6)],
            ['worth', dollars(quote.mintUsd)],
            ['fee', `${tokens(quote.fee, custody)} ${options.token}, ${quote.feeBps} bp`],
          ]
    show(quote, rows, options, from)
  })

  withState(
    jlp
      .command('redeem')
      .description('tokens for JLP')
      .requiredOption('--token <symbol>', 'such as USDC')
      .requiredOption('--jlp <jlp>', 'how many', atoms),
  ).action(async (options: Options & { token: string; jlp: bigint }) => {
    const { pool, from } = await readPool(options)
    const custody = custodyBySymbol(pool, options.token)
    const quote = quoteRedeem(pool, { custody: custody.address, lp: options.jlp as JlpAtoms })
    const rows = (): string[][] =>
      quote.kind === 'rejected'
        ? []
        : [
            [`${options.token} paid out`, tokens(quote.tokens, custody)],
            ['redeemed', dollars(quote.redeemUsd)],
            ['fee', `${tokens(quote.fee, custody)} ${options.token}, ${quote.feeBps} bp`],
          ]
    show(quote, rows, options, from)
  })

  withState(
    jlp
      .command('swap')
      .description('one token for another through the pool')
      .requiredOption('--from <symbol>', 'token paid')
      .requiredOption('--to <symbol>', 'token received')
      .requiredOption('--amount <tokens>', 'how many are paid', decimal),
  ).action(async (options: Options & { from: string; to: string; amount: string }) => {
    const { pool, from } = await readPool(options)
    const [paid, received] = [custodyBySymbol(pool, options.from), custodyBySymbol(pool, options.to)]
    const quote = quoteSwap(pool, {
      from: paid.address,
      to: received.address,
      amount: tokenAtomsOf(options.amount, paid),
    })
    const rows = (): string[][] =>
      quote.kind === 'rejected'
        ? []
        : [
            [`${options.to} received`, tokens(quote.tokens, received)],
            ['worth', dollars(quote.usd)],
            ['fee', `${tokens(quote.fee, received)} ${options.to}, ${quote.feeBps} bp`],
          ]
    show(quote, rows, options, from)
  })

  jlp
    .command('estimate')
    .description("the documents' estimate: what a day's volume earns the pool and a holder")
    .requiredOption('--volume <usd>', 'volume of the day', atoms)
    .requiredOption('--held <usd>', 'JLP held, in dollars', atoms)
    .requiredOption('--tvl <usd>', 'the whole pool, in dollars', atoms)
    .option('--at <date>', 'whose fee and LP share to use, a UTC date; now 6 bp and 75 %', '2026-01-01')
    .option('--json', 'as JSON')
    .action((options: { volume: bigint; held: bigint; tvl: bigint; at: string; json?: boolean }) => {
      const at = Date.parse(`${options.at}T00:00:00Z`) / 1000
      if (!Number.isFinite(at)) throw new UsageError('--at is a date such as 2024-03-01')
      const { positionFee, poolShare } = eraAt(BigInt(at) as UnixSeconds)
      const [positionFeeBps, poolShareBps] = [positionFee.value, poolShare.value]
      const estimate = estimateYield({
        volumeUsd: options.volume as UsdX6,
        feeBps: positionFeeBps,
        poolShareBps,
        heldUsd: options.held as UsdX6,
        aumUsd: options.tvl as UsdX6,
      })
      if (options.json) return console.log(toJson({ ...estimate, feeBps: positionFeeBps, poolShareBps }))
      console.log(
        table([
          ['fee and LP share', `${positionFeeBps} bp, ${Number(poolShareBps) / 100} %`],
          ['to the pool', dollars(estimate.poolUsd)],
          ['to the holder', dollars(estimate.holderUsd, 4)],
        ]),
      )
    })
}
