/** Unsigned transactions, and signed ones on their way. No key is ever here. */
import { type FastifyPluginAsyncTypebox, type Static, Type } from '@fastify/type-provider-typebox'
import { type Connection, PublicKey } from '@solana/web3.js'
import { priorityFee } from '../../../src/chain/cluster.ts'
import { MOST_JLP } from '../../../src/chain/faucet.ts'
import { decodeBase58, encodeBase58 } from '../../../src/client/base58.ts'
import {
  type ClientOptions,
  callsByInstruction,
  errorOf,
  eventsOf,
  MOST_UNITS,
  type ProgramError,
  type Simulation,
  transactionOf,
} from '../../../src/client/index.ts'
import { ACTIONS, type ActionRoute, FeedClient, type Prepared, prepared } from '../actions.ts'
import type { Context, RouteOptions } from '../context.ts'
import { errorOf as apiErrorOf, badRequest, fail, fromChain } from '../errors.ts'
import { fitting } from '../feed.ts'
import { Relay } from '../relay.ts'
import {
  AddressIn,
  AtomsIn,
  addressIn,
  atomsOf,
  errors,
  Freshness,
  Nullable,
  named,
  oneOf,
  strict,
} from '../schemas.ts'
import { sayRecord } from '../views/events.ts'
import { Holdings } from '../views/holdings.ts'
import { LiquidityQuote, Refusal, refusalJson, TradeQuote } from '../views/quote.ts'

const tags = ['transactions']

const Unsigned = named(
  'UnsignedTransaction',
  Type.Object({
    transaction: Type.String({ description: 'Base64 of a versioned transaction with room for its signatures' }),
    says: Type.String({ description: 'What it does' }),
    blockhash: Type.String(),
    lastValidBlockHeight: Type.Integer({ description: 'After this block it can land no more' }),
    fee: Type.String({ description: 'Lamports, without the rent of accounts that it opens' }),
    units: Type.Integer({ description: 'Limit of compute units: what the simulation took, and some more' }),
    does: Type.Array(Type.String(), { description: 'What it would have done now, in words' }),
    quote: Nullable(TradeQuote),
    liquidity: Nullable(LiquidityQuote),
    ...Freshness,
  }),
)

const Base64 = Type.String({ pattern: '^[A-Za-z0-9+/]{1,1700}={0,2}$', maxLength: 1700, description: 'Base64' })
const Signature = Type.String({ pattern: '^[1-9A-HJ-NP-Za-km-z]{64,88}$', maxLength: 88, description: 'In base58' })

const Outcome = named(
  'TransactionStatus',
  Type.Object({
    signature: Type.String(),
    status: oneOf(['unknown', 'processed', 'confirmed', 'finalized', 'failed'], {
      description: 'unknown: the node has not seen it (yet). failed: it landed, and changed nothing',
    }),
    final: Type.Boolean({ description: 'Whether nothing can undo it any more' }),
    slot: Nullable(Type.Integer()),
    time: Nullable(Type.Integer({ description: 'Unix seconds by the chain' })),
    fee: Nullable(Type.String({ description: 'Lamports' })),
    events: Type.Array(
      Type.Object({ instruction: Type.Integer(), time: Type.Integer(), says: Type.Array(Type.String()) }),
    ),
    error: Nullable(Refusal),
  }),
)

const LAMPORTS_PER_SIGNATURE = 5000n
/** As the client does: for what others trade before it lands. */
const SPARE_UNITS = 20_000

/** What all actions are given. */
interface Given {
  readonly owner: string
  readonly table?: string
}

/** The lookup tables that were named. */
const tablesOf = async ({ client }: Context, { table }: Given): Promise<Required<Pick<ClientOptions, 'tables'>>> => {
  if (table === undefined) return { tables: [] }
  const found = await client.lookupTable(addressIn(table, 'table'))
  return {
    tables: [found ?? fail(404, 'unknown-table', 'There is no such lookup table', 'Make it first, or go without.')],
  }
}

/** Instructions that went through a simulation. What is refused is tried once more after a new reading: the feed may have been a slot behind. */
const tried = async (
  context: Context,
  route: ActionRoute,
  body: Given,
  options: ClientOptions,
): Promise<Prepared & { readonly simulation: Simulation }> => {
  const attempt = async () => {
    // Accounts as they are now: what is remembered within a slot may be older than the owner's last transaction.
    const now = { ...context, holdings: new Holdings(context.client, context.feed) }
    const client = new FeedClient(now, options)
    const made = await prepared(now, client, route, body)
    const simulation = await client.simulate(made.instructions, body.owner)
    if (simulation.error !== undefined) throw simulation.error
    return { ...made, simulation }
  }
  try {
    return await fitting(context.feed, attempt)
  } catch (error) {
    if (apiErrorOf(error)?.status !== 422) throw error
    await context.feed.renew()
    return attempt()
  }
}

const feePrice = (context: Context, instructions: Prepared['instructions']): Promise<bigint> => {
  if (context.chain.local) return Promise.resolve(0n)
  const written = instructions.flatMap(({ keys }) => keys.filter(key => key.isWritable).map(key => key.pubkey))
  return fromChain(priorityFee(context.connection, { lockedWritableAccounts: written.slice(0, 64) }))
}

const make = async (context: Context, route: ActionRoute, body: Given): Promise<Static<typeof Unsigned>> => {
  const { feed, connection } = context
  const { tables } = await tablesOf(context, body)
  const { instructions, says, quote, liquidity, simulation } = await tried(context, route, body, { tables })
  const [{ blockhash, lastValidBlockHeight }, price] = await Promise.all([
    fromChain(connection.getLatestBlockhash()),
    feePrice(context, instructions),
  ])
  const units = Math.min(MOST_UNITS, Math.ceil(simulation.units * 1.1) + SPARE_UNITS)
  const transaction = transactionOf(instructions, { payer: body.owner, blockhash, units, price, tables })
  const signatures = BigInt(transaction.message.header.numRequiredSignatures)
  const paid = (price * BigInt(units) + 999_999n) / 1_000_000n
  return {
    transaction: Buffer.from(transaction.serialize()).toString('base64'),
    says,
    blockhash,
    lastValidBlockHeight,
    fee: String(LAMPORTS_PER_SIGNATURE * signatures + paid),
    units,
    does: simulation.events.flatMap(({ records }) => records.flatMap(record => sayRecord(feed, record) ?? [])),
    quote: quote ?? null,
    liquidity: liquidity ?? null,
    ...feed.freshness(),
  }
}

const isSignature = (text: string): boolean => {
  const bytes = decodeBase58(text)
  return bytes.length === 64 && encodeBase58(bytes) === text
}

/** What became of a transaction. */
const outcomeOf = async ({ connection, feed }: Context, signature: string): Promise<Static<typeof Outcome>> => {
  const { value } = await fromChain(connection.getSignatureStatuses([signature], { searchTransactionHistory: true }))
  const nothing = { slot: null, time: null, fee: null, events: [], error: null, final: false }
  const status = value[0] ?? null
  if (status === null) return { signature, status: 'unknown', ...nothing }
  const level = status.confirmationStatus ?? 'processed'
  const sent =
    level === 'processed'
      ? null
      : await fromChain(
          connection.getTransaction(signature, { commitment: 'confirmed', maxSupportedTransactionVersion: 0 }),
        )
  const error = status.err === null ? undefined : errorOf(status.err, sent?.meta?.logMessages)
  const events =
    sent === null
      ? []
      : callsByInstruction(sent.transaction.message, sent.meta).flatMap(({ instruction, calls }) =>
          eventsOf(calls).map(({ time, records }) => ({
            instruction,
            time,
            says: records.flatMap(record => sayRecord(feed, record) ?? []),
          })),
        )
  return {
    signature,
    status: error === undefined ? level : 'failed',
    final: level === 'finalized',
    slot: status.slot,
    time: sent?.blockTime ?? null,
    fee: sent?.meta == null ? null : String(sent.meta.fee),
    events: error === undefined ? events : [],
    error: error === undefined ? null : chainError(error),
  }
}

/** What a program refused, as other refusals are told. */
const chainError = (error: ProgramError): Static<typeof Refusal> => {
  const known = apiErrorOf(error)
  return known === undefined || known.status === 503
    ? { code: error.code, message: error.message, hint: 'The logs of the transaction say more.', context: {} }
    : refusalJson(known)
}

interface Raw {
  _rpcRequest(
    method: string,
    parameters: unknown[],
  ): Promise<{ readonly result?: string; readonly error?: { readonly message: string } }>
}

/** Test JLP, by default. */
const GIVEN = 10_000_000_000n

const give = async (connection: Connection, owner: string, atoms: bigint): Promise<string> => {
  const raw = connection as unknown as Raw
  const { result, error } = await fromChain(raw._rpcRequest('sunder_faucet', [{ owner, atoms: String(atoms) }]))
  return result ?? fail(422, 'faucet', error?.message ?? 'The faucet gave nothing', 'Ask for less.')
}

export const transactionRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { context }) => {
  const { connection, chain } = context
  const relay = new Relay(connection)

  for (const [name, route] of Object.entries(ACTIONS)) {
    app.post(
      `/transactions/${name}`,
      {
        schema: {
          tags,
          operationId: `build-${name}`.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
          summary: route.summary,
          body: route.body,
          querystring: strict({}),
          response: { 200: Unsigned, ...errors(404, 413, 415, 422, 503) },
        },
      },
      async ({ body }) => {
        const given = body as unknown as Given
        addressIn(given.owner, 'owner')
        return make(context, route, given)
      },
    )
  }

  app.post(
    '/transactions',
    {
      schema: {
        tags,
        operationId: 'relay',
        summary: 'Sends a signed transaction on; the same one twice is sent once, with the same answer',
        body: strict({ transaction: Base64 }),
        querystring: strict({}),
        response: { 200: Type.Object({ signature: Type.String() }), ...errors(413, 415, 422, 503) },
      },
    },
    async ({ body: { transaction } }) => ({ signature: await relay.send(transaction) }),
  )

  app.get(
    '/transactions/:signature',
    {
      schema: {
        tags,
        operationId: 'transaction',
        summary: 'What became of a transaction',
        params: strict({ signature: Signature }),
        querystring: strict({}),
        response: { 200: Outcome, ...errors(503) },
      },
    },
    async ({ params: { signature } }) => {
      if (!isSignature(signature)) badRequest('This is no signature', 'Give 64 bytes in base58.')
      return outcomeOf(context, signature)
    },
  )

  app.post(
    '/faucet',
    {
      config: { rateLimit: { max: 10, timeWindow: 60_000 } },
      schema: {
        tags,
        operationId: 'faucet',
        summary: 'Test JLP and some SOL, on a local chain',
        body: strict({
          owner: AddressIn,
          jlp: Type.Optional(Type.String({ ...AtomsIn, description: `JLP atoms, 10,000 JLP by default` })),
        }),
        querystring: strict({}),
        response: { 200: Type.Object({ signature: Type.String() }), ...errors(404, 413, 415, 422, 503) },
      },
    },
    async ({ body: { owner, jlp } }) => {
      if (!chain.local) fail(404, 'no-faucet', 'There is no faucet on this chain', 'It is for local chains.')
      const to = new PublicKey(addressIn(owner, 'owner')).toBase58()
      const atoms = jlp === undefined ? GIVEN : atomsOf(jlp, 'jlp')
      if (atoms > MOST_JLP) fail(422, 'faucet', `At most ${MOST_JLP} atoms of JLP`, 'Ask for less.')
      return { signature: await give(connection, to, atoms) }
    },
  )
}
