/** A Solana of one process (LiteSVM), spoken to with web3.js: what the tests of the built programs need of it. */
import { type Address, getTransactionDecoder, type Lamports } from '@solana/kit'
import {
  ComputeBudgetProgram,
  Keypair,
  PublicKey,
  SYSVAR_CLOCK_PUBKEY,
  SYSVAR_RENT_PUBKEY,
  SystemProgram,
  Transaction,
  TransactionInstruction,
} from '@solana/web3.js'
import { FailedTransactionMetadata, LiteSVM } from 'litesvm'

const UPGRADEABLE_LOADER = new PublicKey('BPFLoaderUpgradeab1e11111111111111111111111')
const MOST_UNITS = 1_400_000

export interface Given {
  readonly key: PublicKey
  readonly writable?: boolean
  readonly signer?: boolean
}

export interface Outcome {
  /** Undefined if the transaction went through; else what the chain says about it. */
  readonly error: string | undefined
  readonly logs: readonly string[]
  /** Compute units of the last instruction alone. */
  readonly units: number
  /** Return data. Zeros at its end are cut off. */
  readonly returned: Buffer
}

const address = (key: PublicKey): Address => key.toBase58() as Address

/** The same key in every run: how many tries a derived address takes depends on it. */
export const keyOf = (name: string): Keypair => Keypair.fromSeed(Buffer.alloc(32, name))

export class Chain {
  readonly svm = new LiteSVM().withTransactionHistory(0n)
  readonly payer = keyOf('payer')

  constructor() {
    this.svm.airdrop(address(this.payer.publicKey), (10n ** 12n) as Lamports)
  }

  /** As if deployed long ago. Checks less than a deployment does. */
  load(name: string, elf: Uint8Array): PublicKey {
    const { publicKey } = keyOf(name)
    this.svm.addProgram(address(publicKey), elf)
    return publicKey
  }

  setAccount(key: PublicKey, owner: PublicKey, data: Uint8Array, lamports = 5_000_000_000n): void {
    this.svm.setAccount({
      address: address(key),
      programAddress: address(owner),
      data,
      lamports: lamports as Lamports,
      executable: false,
      space: BigInt(data.length),
    })
  }

  dataOf(key: PublicKey): Buffer | undefined {
    const account = this.svm.getAccount(address(key))
    return account.exists ? Buffer.from(account.data) : undefined
  }

  lamportsOf(key: PublicKey): bigint {
    return this.svm.getBalance(address(key)) ?? 0n
  }

  call(program: PublicKey, data: Uint8Array, accounts: readonly Given[] = []): Outcome {
    const keys = accounts.map(({ key, writable = false, signer = false }) => ({
      pubkey: key,
      isWritable: writable,
      isSigner: signer,
    }))
    return this.send(new TransactionInstruction({ programId: program, keys, data: Buffer.from(data) }))
  }

  send(instruction: TransactionInstruction): Outcome {
    const transaction = new Transaction()
    transaction.recentBlockhash = this.svm.latestBlockhash()
    transaction.feePayer = this.payer.publicKey
    transaction.add(ComputeBudgetProgram.setComputeUnitLimit({ units: MOST_UNITS }), instruction)
    transaction.sign(this.payer)
    const result = this.svm.sendTransaction(getTransactionDecoder().decode(transaction.serialize()))
    const failed = result instanceof FailedTransactionMetadata
    const meta = failed ? result.meta() : result
    const used = meta.logs().flatMap(line => /consumed (\d+) of \d+ compute units/.exec(line)?.[1] ?? [])
    return {
      error: failed ? result.toString() : undefined,
      logs: meta.logs(),
      units: Number(used.at(-1) ?? 0),
      returned: Buffer.from(meta.returnData().data()),
    }
  }

  /** A real deployment: bytes in a buffer account, and the loader, which checks everything it checks on a cluster. */
  deploy(name: string, elf: Uint8Array): { program: PublicKey; outcome: Outcome } {
    const program = keyOf(name).publicKey
    const buffer = keyOf(`${name} buffer`).publicKey
    const payer = this.payer.publicKey
    const [programData] = PublicKey.findProgramAddressSync([program.toBuffer()], UPGRADEABLE_LOADER)
    const head = Buffer.concat([Buffer.from([1, 0, 0, 0, 1]), payer.toBuffer()]) // a buffer, and who may deploy from it
    this.setAccount(program, UPGRADEABLE_LOADER, Buffer.alloc(36))
    this.setAccount(buffer, UPGRADEABLE_LOADER, Buffer.concat([head, elf]))
    const data = Buffer.alloc(12)
    data.writeUInt32LE(2, 0) // DeployWithMaxDataLen
    data.writeBigUInt64LE(BigInt(elf.length), 4)
    const outcome = this.call(UPGRADEABLE_LOADER, data, [
      { key: payer, signer: true, writable: true },
      { key: programData, writable: true },
      { key: program, writable: true },
      { key: buffer, writable: true },
      { key: SYSVAR_RENT_PUBKEY },
      { key: SYSVAR_CLOCK_PUBKEY },
      { key: SystemProgram.programId },
      { key: payer, signer: true },
    ])
    this.svm.warpToSlot(this.svm.getClock().slot + 5n) // callable from the next slot on
    this.svm.expireBlockhash()
    return { program, outcome }
  }
}
