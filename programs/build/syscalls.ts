/**
 * What the program may call outside itself. A name that is not here fails the build: a local chain would only notice when the
 * call is made, a cluster when the program is deployed. `test/programs/build.test.ts` holds this list to what the runtime
 * declares.
 */
const FROM_THE_RUNTIME = `sol_panic_ sol_log_ sol_log_64_ sol_log_pubkey sol_log_compute_units_ sol_log_data
  sol_memmove_ sol_memset_ sol_memcmp_ sol_create_program_address sol_try_find_program_address sol_invoke_signed_c
  sol_get_clock_sysvar sol_get_rent_sysvar sol_set_return_data sol_get_return_data`

/** The compiler's own: what it makes of `unreachable`. */
const FROM_THE_COMPILER = 'abort'

export const RUNTIME_SYSCALLS: readonly string[] = FROM_THE_RUNTIME.split(/\s+/)
export const ALLOWED_SYSCALLS: ReadonlySet<string> = new Set([...RUNTIME_SYSCALLS, FROM_THE_COMPILER])
