import { CodedError } from '../../amm/errors.ts'

/** The code of the error that `f` throws; 'none' if it throws none. Anything but a coded error is thrown on. */
export const codeOf = (f: () => unknown): string => {
  try {
    f()
  } catch (error) {
    if (error instanceof CodedError) return error.code
    throw error
  }
  return 'none'
}
