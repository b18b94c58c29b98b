/** The program as Anchor has it, for whoever knows Anchor: by the IDL alone, so that nothing here depends on it. */
import { type Idl, Program, type Provider } from '@coral-xyz/anchor'
import idl from '../../programs-idl/sunder.json' with { type: 'json' }

/** `anchorProgram(provider).methods.deposit(new BN(5)).accounts({ ... })`: amounts are bignums there, accounts all by name. */
export const anchorProgram = (provider: Provider): Program => new Program(idl as unknown as Idl, provider)
