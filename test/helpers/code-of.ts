import type { CodedError } from '../../amm/errors.ts'

/**
 * For errors of a class: the code of the one that `f` throws, 'none' if it throws none. Anything else is thrown on, so that
 * another module's error of the same code does not pass for it.
 */
export const codesOf =
  (kind: abstract new (...parts: never[]) => CodedError<string>) =>
  (f: () => unknown): string => {
    try {
      f()
    } catch (error) {
      if (error instanceof kind) return error.code
      throw error
    }
    return 'none'
  }
