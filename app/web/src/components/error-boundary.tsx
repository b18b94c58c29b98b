/** What is shown where a part of the page has failed: the rest goes on. */
import { Component, type ReactNode } from 'react'

interface Props {
  readonly children: ReactNode
  /** With another one it is tried again. */
  readonly name: string
}

export class ErrorBoundary extends Component<Props, { readonly error: Error | undefined }> {
  override state: { readonly error: Error | undefined } = { error: undefined }

  static getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) }
  }

  override componentDidUpdate(before: Props): void {
    if (before.name !== this.props.name && this.state.error !== undefined) this.setState({ error: undefined })
  }

  override render(): ReactNode {
    const { error } = this.state
    if (error === undefined) return this.props.children
    return (
      <div className="banner error" role="alert">
        <div>
          <strong>This part of the page has failed.</strong> {error.message}. What is on the chain is not touched by it.
        </div>
        <button type="button" className="button small" onClick={() => this.setState({ error: undefined })}>
          Try again
        </button>
      </div>
    )
  }
}
