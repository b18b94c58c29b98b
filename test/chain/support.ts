/** A local chain with a market on it, for the tests of the port: set up by the client alone. */
import { readFileSync } from 'node:fs'
import { Keypair, PublicKey } from '@solana/web3.js'
import { connectionTo, LocalChain, LocalRpc, type LocalSetting } from '../../src/chain/index.ts'
import { type LocalMarket, nextMarket, openMarket, setUp } from '../../src/cli/local-markets.ts'
import { SunderClient, walletOf } from '../../src/client/index.ts'

export const ELF = readFileSync(new URL('../../programs-idl/sunder.so', import.meta.url))
export const ONE = 1_000_000n // JLP atoms
export const keyOf = (name: string): Keypair => Keypair.fromSeed(Buffer.alloc(32, name))

export const chainOf = (setting: Partial<LocalSetting> = {}) => {
  const chain = new LocalChain({ elf: ELF, ...setting })
  const rpc = new LocalRpc(chain)
  return { chain, rpc, connection: connectionTo(rpc) }
}

const idIn = ({ operator }: LocalChain): string => operator.publicKey.toBase58()

/** A chain with an hourly market that has liquidity and some minutes of history behind it. */
export const marketOn = async ({ chain, rpc, connection }: ReturnType<typeof chainOf>): Promise<LocalMarket> => {
  const client = new SunderClient(connection)
  await setUp(client, chain)
  const market = nextMarket(chain.now, 'hourly')
  await openMarket(client, chain, market, 500_000n * ONE, () => rpc.faucet.give(idIn(chain), 500_000n * ONE))
  for (let slot = 0; slot < 1000; slot++) chain.nextSlot()
  return market
}

export const idOf = (name: string): string => keyOf(name).publicKey.toBase58()
export const as = (name: string) => walletOf(keyOf(name))
export const key = (address: string): PublicKey => new PublicKey(address)
