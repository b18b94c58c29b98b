/** The commands about a chain, in the order that somebody new would use them. */
import type { Command } from 'commander'
import { addAccountCommands } from './account.ts'
import { addEarnCommand } from './earn.ts'
import { addLpCommand } from './lp.ts'
import { addMarketsCommands } from './markets.ts'
import { addOrderCommand } from './order.ts'
import { addPositionsCommand } from './positions.ts'
import { addTokensCommands } from './tokens.ts'
import { addTradeCommand } from './trade.ts'
import { addWalletCommand } from './wallet.ts'
import { addWatchCommand } from './watch.ts'

export const addVenueCommands = (program: Command): void => {
  for (const add of [
    ...[addWalletCommand, addMarketsCommands, addTradeCommand, addOrderCommand, addAccountCommands, addEarnCommand],
    ...[addLpCommand, addPositionsCommand, addWatchCommand, addTokensCommands],
  ]) {
    add(program)
  }
}
