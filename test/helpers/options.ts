import { type ParseArgsConfig, parseArgs } from 'node:util'

/** The options of a campaign's command line; what cannot be read goes to `fail`. */
export const readOptions = <O extends NonNullable<ParseArgsConfig['options']>>(
  fail: (message: string) => never,
  options: O,
): ReturnType<typeof parseArgs<{ options: O }>>['values'] => {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    return fail((error as Error).message)
  }
}
