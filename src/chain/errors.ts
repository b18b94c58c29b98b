/** What the chain refuses. */

/** By number, as nodes count them. */
export const CODES = {
  parse: -32700,
  request: -32600,
  method: -32601,
  params: -32602,
  internal: -32603,
  /** The transaction would fail, or could not be sent. `data` has its error and logs. */
  preflight: -32002,
  signature: -32003,
  /** Cleaned up, and not there yet. */
  gone: -32001,
  block: -32004,
  unhealthy: -32005,
  version: -32015,
  context: -32016,
} as const

/** An error of JSON-RPC, with the code and the shape of `data` that nodes have. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: number
  readonly data: unknown

  constructor(code: keyof typeof CODES, message: string, data?: unknown) {
    super(message)
    this.code = CODES[code]
    this.data = data
  }
}

export const badParams = (message: string): never => {
  throw new RpcError('params', message)
}

/**
 * Of what is kept on disk. `damaged`: `context` names file and record; `in-use`: by another process; `older`: than what was there before;
 * `unwritten`: this could not be written, later may go; `failed`: nothing can be written any more.
 */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: 'damaged' | 'in-use' | 'older' | 'unwritten' | 'failed'
  readonly context: { readonly file?: string; readonly record?: number; readonly at?: number; readonly pid?: number }

  constructor(code: StoreError['code'], message: string, context: StoreError['context'] = {}) {
    super(message)
    this.code = code
    this.context = context
  }
}
