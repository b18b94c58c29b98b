/**
 * A chain that will be killed: at its start it says what it knows, then it sends transfer after transfer and says of each that it was
 * acknowledged. One line of JSON each.
 */
import { writeSync } from 'node:fs'
import { SystemProgram, TransactionMessage, VersionedTransaction } from '@solana/web3.js'
import { chainOf, idOf, key } from './support.ts'

const directory = process.argv[2]!
const LAMPORTS = 1_000_000
const say = (line: object): void => {
  writeSync(1, `${JSON.stringify(line)}\n`)
}

// Small journals, so that it is killed while a snapshot is taken, too.
const { chain, connection } = chainOf({ directory, journalBytes: 60_000, speed: 60 })
const { operator } = chain
const known = [...chain.history()].map(({ signature }) => signature)
const lamports = Number(chain.account(idOf('bob'))?.lamports ?? 0n)
say({ known, lamports, slot: chain.slot, now: chain.now })
chain.run()
for (let count = known.length; ; count++) {
  const instructions = [
    SystemProgram.transfer({ fromPubkey: operator.publicKey, toPubkey: key(idOf('bob')), lamports: LAMPORTS }),
    // So that no two are the same.
    SystemProgram.transfer({ fromPubkey: operator.publicKey, toPubkey: operator.publicKey, lamports: count }),
  ]
  const terms = { payerKey: operator.publicKey, recentBlockhash: chain.hashOf(chain.slot), instructions }
  const transaction = new VersionedTransaction(new TransactionMessage(terms).compileToV0Message())
  transaction.sign([operator])
  say({ landed: await connection.sendTransaction(transaction), slot: chain.slot, now: chain.now })
}
