/** Throws with the numbers at hand, so that a find of a random campaign can be kept as a plain test. */
export const ensure = (holds: boolean, law: string, context: unknown): void => {
  if (holds) return
  const detail = JSON.stringify(context, (_, value) => (typeof value === 'bigint' ? `${value}n` : value), 1)
  throw new Error(`${law}\n${detail}`)
}
