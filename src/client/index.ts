/**
 * The client's public surface. `codecs.ts`, `instructions.ts`, `events.ts` and `program-errors.ts` by themselves are what runs in a page;
 * Anchor's own client is in `anchor.ts`, which loads Anchor.
 */
export * from './addresses.ts'
export * from './builders.ts'
export * from './client.ts'
export * from './codecs.ts'
export * from './engine.ts'
export * from './errors.ts'
export * from './events.ts'
export * from './instructions.ts'
export * from './listing.ts'
export * from './program-errors.ts'
export * from './quotes.ts'
export type {
  LiquidityRequest,
  MarginTradeRequest,
  OrderRequest,
  PtTradeRequest,
  RemovalRequest,
  TradeRequest,
} from './requests.ts'
export * from './sender.ts'
export * from './tick-arrays.ts'
export * from './transactions.ts'
export * from './wallets.ts'
