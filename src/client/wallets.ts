/** Token accounts of wallets: where they are, and how they are made. */
import { PublicKey, TransactionInstruction } from '@solana/web3.js'
import { ADDRESSES } from './generated/interface.ts'

export const ASSOCIATED_TOKEN_PROGRAM = 'ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL'

/** A token account that belongs to whoever holds a key. */
export interface WalletAccount {
  readonly owner: string
  readonly mint: string
  /** JLP and PT are plain tokens, wrapped ST are of Token-2022. */
  readonly program: string
}

/** Where a wallet keeps a token unless it says otherwise. The owner may be an address that nobody has the key of. */
export const walletAddress = ({ owner, mint, program }: WalletAccount): string =>
  PublicKey.findProgramAddressSync(
    [owner, program, mint].map(address => new PublicKey(address).toBytes()),
    new PublicKey(ASSOCIATED_TOKEN_PROGRAM),
  )[0].toBase58()

/** Makes it; does nothing if it is there. */
export const createWallet = (payer: string, wallet: WalletAccount): TransactionInstruction => {
  const role = (address: string, isWritable = false, isSigner = false) => ({
    pubkey: new PublicKey(address),
    isWritable,
    isSigner,
  })
  return new TransactionInstruction({
    programId: new PublicKey(ASSOCIATED_TOKEN_PROGRAM),
    keys: [
      role(payer, true, true),
      role(walletAddress(wallet), true),
      role(wallet.owner),
      role(wallet.mint),
      role(ADDRESSES.systemProgram),
      role(wallet.program),
    ],
    data: Buffer.from([1]), // CreateIdempotent
  })
}
