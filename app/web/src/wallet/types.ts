/** Whatever signs for an address. */
export interface Signer {
  readonly kind: 'burner' | 'standard'
  readonly name: string
  readonly address: string
  /** The same transaction with the signature in its place. */
  readonly sign: (transaction: Uint8Array) => Promise<Uint8Array>
}
