/**
 * The instructions that SBPF v0 and LLVM's BPF (cpu v2) agree on. Those left out exist in newer BPF, and on Solana either mean
 * something else (32-bit arithmetic extends the sign there) or nothing at all (32-bit jumps, atomics, signed division).
 */
import { BuildError } from './errors.ts'

export const SLOT = 8
export const LOAD_ADDRESS = 0x18 // takes two slots
export const CALL = 0x85
const CALL_REGISTER = 0x8d
const MOVE = 0xbf
const DIVISIONS = [0x37, 0x3f, 0x97, 0x9f]

/** Loads and stores of 1, 2, 4 and 8 bytes, each in its forms: load, store a constant, store a register. */
const MEMORY = [0x61, 0x69, 0x71, 0x79, 0x62, 0x6a, 0x72, 0x7a, 0x63, 0x6b, 0x73, 0x7b]
/** 64-bit arithmetic: operation in the high four bits, its second operand a constant (7) or a register (15). */
const ARITHMETIC = [0x0, 0x1, 0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0x9, 0xa, 0xb, 0xc].flatMap(operation => [
  (operation << 4) | 0x7,
  (operation << 4) | 0xf,
])
const NEGATE = 0x87
const BYTE_ORDER = [0xd4, 0xdc]
/** Conditional jumps on 64 bits: the same pattern, with 5 and 13. */
const JUMPS = [0x1, 0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0xa, 0xb, 0xc, 0xd].flatMap(condition => [
  (condition << 4) | 0x5,
  (condition << 4) | 0xd,
])
const ALWAYS = 0x05
const EXIT = 0x95
/** Between functions, where alignment leaves a gap. */
export const EXIT_INSTRUCTION = Buffer.from([EXIT, 0, 0, 0, 0, 0, 0, 0])

const ALLOWED = new Set([
  LOAD_ADDRESS,
  ...MEMORY,
  ...ARITHMETIC,
  NEGATE,
  ...BYTE_ORDER,
  ALWAYS,
  ...JUMPS,
  CALL,
  CALL_REGISTER,
  EXIT,
])

/** Checks the code of one section, and moves the register of an indirect call to where v0 reads it: into the constant. */
export const checkInstructions = (code: Buffer, name: string): void => {
  for (let at = 0; at < code.length; at += SLOT) {
    const opcode = code[at]!
    const where = `${name}+${at}`
    if (!ALLOWED.has(opcode)) {
      throw new BuildError(
        `instruction 0x${opcode.toString(16)} at ${where} means something else on Solana, or nothing`,
      )
    }
    const isVariant = code.readInt16LE(at + 2) !== 0 // the offset field, where newer BPF tells signed from unsigned
    if (isVariant && DIVISIONS.includes(opcode)) throw new BuildError(`signed division at ${where}`)
    if (isVariant && opcode === MOVE) throw new BuildError(`sign-extending move at ${where}`)
    if (opcode === CALL_REGISTER) {
      code.writeInt32LE(code[at + 1]! & 15, at + 4)
      code[at + 1] = 0
    }
    if (opcode === LOAD_ADDRESS) at += SLOT
  }
}
