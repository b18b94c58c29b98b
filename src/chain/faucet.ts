/** Test JLP and SOL, by transactions of the local chain's operator. */
import {
  ComputeBudgetProgram,
  PublicKey,
  SystemProgram,
  TransactionInstruction,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js'
import { ADDRESSES } from '../client/generated/interface.ts'
import { createWallet, walletAddress } from '../client/wallets.ts'
import { badParams, RpcError } from './errors.ts'
import type { LocalChain } from './local.ts'
import { tokenAccountOf } from './tokens.ts'
import { messageOf, parseTransaction } from './transaction.ts'

/** JLP atoms that a wallet may be given at once, and may have before it is refused. */
export const MOST_JLP = 1_000_000_000_000n
/** Lamports at once. */
const MOST_LAMPORTS = 1000 * 10 ** 9
/** With JLP come 2 SOL, if there is less. */
const SOME_LAMPORTS = 2 * 10 ** 9
const MINT_TO = 7
/** Units that a transaction of the faucet's is sure to need less than. */
const UNITS = 100_000

export class Faucet {
  readonly #chain: LocalChain
  /** So that no two transactions are the same. */
  #count = 0

  constructor(chain: LocalChain) {
    this.#chain = chain
  }

  airdrop(to: string, lamports: number): string {
    if (lamports > MOST_LAMPORTS) badParams(`At most ${MOST_LAMPORTS} lamports at once`)
    return this.#send([this.#lamports(to, lamports)])
  }

  /** JLP for an owner, and some SOL. Returns the signature. */
  give(owner: string, atoms: bigint): string {
    const jlp = { owner, mint: ADDRESSES.jlpMint, program: ADDRESSES.tokenProgram }
    const place = walletAddress(jlp)
    const account = this.#chain.account(place)
    const held = account === undefined ? 0n : (tokenAccountOf(account)?.amount ?? 0n)
    if (atoms <= 0n || atoms > MOST_JLP) badParams(`Between 1 and ${MOST_JLP} atoms of JLP at once`)
    const { publicKey } = this.#chain.operator
    // The operator provides liquidity.
    if (held + atoms > MOST_JLP && owner !== publicKey.toBase58())
      badParams(`Nobody is given JLP above ${MOST_JLP} atoms: this wallet has ${held}`)
    const data = Buffer.alloc(9)
    data[0] = MINT_TO
    data.writeBigUInt64LE(atoms, 1)
    const mint = new TransactionInstruction({
      programId: new PublicKey(ADDRESSES.tokenProgram),
      keys: [
        { pubkey: new PublicKey(ADDRESSES.jlpMint), isSigner: false, isWritable: true },
        { pubkey: new PublicKey(place), isSigner: false, isWritable: true },
        { pubkey: publicKey, isSigner: true, isWritable: false },
      ],
      data,
    })
    const has = this.#chain.account(owner)?.lamports ?? 0n
    const some = has < BigInt(SOME_LAMPORTS) ? [this.#lamports(owner, SOME_LAMPORTS)] : []
    return this.#send([...some, createWallet(publicKey.toBase58(), jlp), mint])
  }

  #lamports(to: string, lamports: number): TransactionInstruction {
    const { publicKey } = this.#chain.operator
    return SystemProgram.transfer({ fromPubkey: publicKey, toPubkey: new PublicKey(to), lamports })
  }

  #send(instructions: readonly TransactionInstruction[]): string {
    const { operator, slot } = this.#chain
    const units = UNITS + (this.#count++ % UNITS)
    const message = new TransactionMessage({
      payerKey: operator.publicKey,
      recentBlockhash: this.#chain.hashOf(slot),
      instructions: [ComputeBudgetProgram.setComputeUnitLimit({ units }), ...instructions],
    }).compileToV0Message()
    const transaction = new VersionedTransaction(message)
    transaction.sign([operator])
    const parsed = parseTransaction(Buffer.from(transaction.serialize()))
    const refused = this.#chain.process(parsed) ?? this.#chain.landed(parsed.signature)?.err ?? undefined
    if (refused !== undefined) throw new RpcError('internal', `The faucet gave nothing: ${messageOf(refused)}`)
    return parsed.signature
  }
}
