/** What is being done and what came of it, said aloud to screen readers as well. */
import { createStore, useStore } from '../store.ts'

export interface Toast {
  readonly title: string
  readonly text: string
  readonly state: 'busy' | 'done' | 'failed'
  /** How far it has come: of how many steps. */
  readonly step?: readonly [number, number]
}

interface Shown extends Toast {
  readonly id: number
}

const DONE_MILLISECONDS = 12_000
const toasts = createStore<readonly Shown[]>([])
let last = 0

const remove = (id: number): void => toasts.set(before => before.filter(one => one.id !== id))

/** Shows one; what it returns changes it. One that is done goes by itself, one that has failed stays until it is closed. */
export const toast = (first: Toast): ((next: Toast) => void) => {
  const id = ++last
  const put = (one: Toast): void => {
    toasts.set(before => {
      const isThere = before.some(other => other.id === id)
      return isThere ? before.map(other => (other.id === id ? { ...one, id } : other)) : [...before, { ...one, id }]
    })
    if (one.state === 'done') setTimeout(() => remove(id), DONE_MILLISECONDS)
  }
  put(first)
  return put
}

export const Toasts = () => {
  const all = useStore(toasts)
  return (
    <section className="toasts" aria-label="What is being done" aria-live="polite">
      {all.map(({ id, title, text, state, step }) => (
        <div key={id} className={`toast ${state}`} role={state === 'failed' ? 'alert' : undefined} data-state={state}>
          <div className="spread">
            <strong>
              {state === 'done' ? '✓ ' : state === 'failed' ? '✕ ' : ''}
              {title}
            </strong>
            {state === 'busy' ? null : (
              <button type="button" className="button small quiet" onClick={() => remove(id)}>
                Close
              </button>
            )}
          </div>
          <p>{text}</p>
          {step === undefined || state !== 'busy' ? null : (
            <div className="steps" aria-hidden="true">
              {Array.from({ length: step[1] }, (_, i) => (
                <i key={String(i)} className={i < step[0] ? 'step past' : 'step'} />
              ))}
            </div>
          )}
        </div>
      ))}
    </section>
  )
}
