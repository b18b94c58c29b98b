/** Test JLP and SOL of a local chain. */
import { useState } from 'react'
import { post, toApiError, wordsOf } from '../api.ts'
import { invalidate } from '../store.ts'
import { toast } from './toasts.tsx'

/** 10,000 JLP, atoms. */
const GIVEN = 10_000_000_000n

export const FaucetButton = ({
  owner,
  className = 'button',
}: {
  readonly owner: string
  readonly className?: string
}) => {
  const [isBusy, setBusy] = useState(false)
  const ask = async (): Promise<void> => {
    setBusy(true)
    const shown = toast({ title: 'Faucet', text: 'Asking for test JLP', state: 'busy' })
    try {
      await post('/v1/faucet', { owner, jlp: GIVEN })
      shown({ title: 'Faucet', text: '10,000 test JLP and some test SOL are in the wallet', state: 'done' })
      invalidate('/v1/accounts/')
    } catch (error) {
      shown({ title: 'The faucet gave nothing', text: wordsOf(toApiError(error)), state: 'failed' })
    }
    setBusy(false)
  }
  return (
    <button type="button" className={className} disabled={isBusy} onClick={() => void ask()}>
      Get 10,000 test JLP
    </button>
  )
}
