/** `sunder wallet`: a keypair of one's own, and on a local chain something in it. */
import type { Command } from 'commander'
import { formatAtoms } from '../../../amm/index.ts'
import { table, UsageError } from '../output.ts'
import { type Answer, atoms, option } from '../question.ts'
import { asking, asks, group, type KeyOptions, print, withKeypair } from './command.ts'
import { connect, type Venue } from './connection.ts'
import { holdingsOf } from './holdings.ts'
import { makeKeypair, readKeypair } from './keypair.ts'

interface FundOptions extends KeyOptions {
  readonly jlp: bigint
}

const addressIn = (path: string): string => readKeypair(path).publicKey.toBase58()
const addressOfNew = (path: string): string => makeKeypair(path).publicKey.toBase58()

const show = async (venue: Venue, address: string): Promise<Answer> => {
  const { lamports, jlp, st } = await holdingsOf(venue, address)
  const rows = [
    ['SOL', (Number(lamports) / 1e9).toFixed(6), ''],
    ['JLP', formatAtoms(jlp), ''],
    ...Object.entries(st).flatMap(([kind, held]) => (held === 0n ? [] : [[`ST, ${kind}`, formatAtoms(held), 'JLP']])),
  ]
  return { figures: { address, lamports, jlp, st }, text: `${address}\n${table(rows, 'lrl')}` }
}

const fill = async (venue: Venue, owner: string, jlp: bigint): Promise<void> => {
  const { error } = await venue.ask('sunder_faucet', { owner, atoms: jlp.toString() })
  if (error !== undefined) throw new UsageError(`The faucet gave nothing: ${error.message}`)
}

/** The key is made even where no chain answers yet. */
const make = async ({ keypair, jlp, rpc }: FundOptions): Promise<Answer> => {
  const address = addressOfNew(keypair)
  const made = `made ${keypair}: keep it, nobody can make it anew`
  let venue: Venue
  try {
    venue = await connect(rpc)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return { figures: { address, keypair }, text: `${made}\n${address}\n${error.message}` }
  }
  if (venue.local) await fill(venue, address, jlp)
  const { figures, text } = await show(venue, address)
  const more = venue.local ? '' : '\nsend it some SOL and JLP before it trades'
  return { figures: { ...(figures as object), keypair }, text: `${made}\n${text}${more}` }
}

export const addWalletCommand = (program: Command): void => {
  const wallet = group(program, 'wallet', 'your keypair file: make one, see what it holds, fill it on a local chain')
  const amount = option('--jlp <n>', 'test JLP from the faucet of a local chain', atoms, '10000')

  withKeypair(
    asking(
      wallet,
      'new',
      'make a keypair file (mode 0600); a local chain gives it test JLP and SOL',
      'sunder wallet new --keypair .sunder/keys/wallet.json',
    ),
  )
    .addOption(amount)
    .action(async (options: FundOptions) => print(options, await make(options)))

  withKeypair(asking(wallet, 'show', 'address, SOL, JLP and wrapped ST', 'sunder wallet show')).action(
    asks<KeyOptions>((venue, { keypair }) => show(venue, addressIn(keypair))),
  )

  withKeypair(asking(wallet, 'faucet', 'test JLP and some SOL, on a local chain', 'sunder wallet faucet --jlp 1000'))
    .addOption(amount)
    .action(
      asks<FundOptions>(async (venue, { keypair, jlp }) => {
        const address = addressIn(keypair)
        if (!venue.local) throw new UsageError('Only a local chain has a faucet: here JLP is bought')
        await fill(venue, address, jlp)
        return show(venue, address)
      }),
    )
}
