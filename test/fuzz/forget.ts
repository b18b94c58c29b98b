/**
 * Lets go of the local chains that nobody uses any more. Their memory is not JavaScript's, so that the garbage collector sees no reason
 * to look for them; it needs node's `--expose-gc`, and a turn of the event loop to free what it finds.
 */
export const forgetChains = async (): Promise<void> => {
  globalThis.gc?.()
  await new Promise<void>(resolve => {
    setImmediate(resolve)
  })
}
