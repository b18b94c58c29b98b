/**
 * From a relocatable object to a program that Solana loads: keeps what the entrypoint reaches, gives it addresses, writes them
 * into the code, and leaves nothing to the loader but the syscalls.
 */
import { BuildError } from './errors.ts'
import { HEADERS_SIZE, type SyscallSite, writeExecutable } from './executable.ts'
import { CALL, checkInstructions, EXIT_INSTRUCTION, LOAD_ADDRESS, SLOT } from './instructions.ts'
import { type ObjectFile, type ObjectSymbol, readObject, type Section } from './object.ts'
import { ALLOWED_SYSCALLS } from './syscalls.ts'

/** Where the loader puts the first byte of the file. */
const PROGRAM_START = 0x1_0000_0000
const WORD = 0x1_0000_0000
const RODATA_ALIGN = 16

/** LLVM's names for the two relocations of BPF code, and the one of its data. */
const R_BPF_64_64 = 1
const R_BPF_64_ABS64 = 2
const R_BPF_64_32 = 10

export interface Linked {
  readonly file: Buffer
  readonly codeSize: number
  readonly dataSize: number
  readonly syscalls: readonly string[]
  /** Which function or constant lies where, for reading an address in an error. */
  readonly map: readonly { readonly address: number; readonly size: number; readonly name: string }[]
}

interface Placed {
  readonly section: Section
  /** Offset in the file; the address less PROGRAM_START. */
  readonly at: number
}

const alignUp = (value: number, to: number): number => Math.ceil(value / to) * to

/** The sections that the entrypoint reaches, its own first, then in the order of the object. */
const reachable = (object: ObjectFile, entry: number): Section[] => {
  const seen = new Set<number>()
  const queue = [entry]
  for (let index = queue.pop(); index !== undefined; index = queue.pop()) {
    if (seen.has(index)) continue
    seen.add(index)
    for (const { symbol } of object.sections[index]!.relocations) {
      if (symbol.section !== undefined) queue.push(symbol.section)
    }
  }
  const kept = object.sections.filter(({ index, isLoaded, data }) => seen.has(index) && isLoaded && data.length > 0)
  return kept.sort((a, b) => Number(b.index === entry) - Number(a.index === entry))
}

const place = (sections: readonly Section[], start: number): { placed: Placed[]; end: number } => {
  let end = start
  const placed = sections.map(section => {
    const at = alignUp(end, Math.max(SLOT, section.align))
    end = at + section.data.length
    return { section, at }
  })
  return { placed, end: alignUp(end, SLOT) }
}

export const link = (objectFile: Buffer): Linked => {
  const object = readObject(objectFile)
  for (const { name, isLoaded, isWritable, data } of object.sections) {
    if (isLoaded && isWritable && data.length > 0 && !name.startsWith('.data.rel.ro')) {
      throw new BuildError(`${name} (${data.length} bytes) is a static that changes: there is none on chain`)
    }
  }
  const entry = object.symbols.find(({ name, section }) => name === 'entrypoint' && section !== undefined)
  if (entry === undefined) throw new BuildError('the program has no entrypoint')

  const sections = reachable(object, entry.section!)
  const code = place(
    sections.filter(({ isCode }) => isCode),
    HEADERS_SIZE,
  )
  const dataStart = alignUp(code.end, RODATA_ALIGN)
  const data = place(
    sections.filter(({ isCode }) => !isCode),
    dataStart,
  )
  const placed = [...code.placed, ...data.placed]
  const starts = new Map(placed.map(({ section, at }) => [section.index, at]))
  const addressOf = (symbol: ObjectSymbol): number => {
    const start = symbol.section === undefined ? undefined : starts.get(symbol.section)
    if (start === undefined) throw new BuildError(`the address of ${symbol.name}, which is not in the program`)
    return start + symbol.value
  }

  const sites: SyscallSite[] = []
  const relocate = ({ section, at }: Placed): void => {
    const bytes = section.data
    for (const { offset, type, symbol } of section.relocations) {
      if (type === R_BPF_64_64 && section.isCode && bytes[offset] === LOAD_ADDRESS) {
        const addend = bytes.readUInt32LE(offset + 4) + bytes.readUInt32LE(offset + 12) * WORD
        const address = PROGRAM_START + addressOf(symbol) + addend
        bytes.writeUInt32LE(address % WORD, offset + 4)
        bytes.writeUInt32LE(Math.floor(address / WORD), offset + 12)
      } else if (type === R_BPF_64_ABS64) {
        const address = BigInt(PROGRAM_START + addressOf(symbol)) + bytes.readBigUInt64LE(offset)
        bytes.writeBigUInt64LE(address, offset)
      } else if (type === R_BPF_64_32 && bytes[offset] === CALL) {
        bytes[offset + 1] = 0x10 // a call within the program, or of something the loader fills in
        if (symbol.section === undefined) {
          bytes.writeInt32LE(-1, offset + 4)
          sites.push({ name: syscallName(symbol.name), at: at + offset })
        } else {
          // The object counts in slots from the next instruction; so does the program.
          const target = addressOf(symbol) + (bytes.readInt32LE(offset + 4) + 1) * SLOT
          bytes.writeInt32LE((target - (at + offset)) / SLOT - 1, offset + 4)
        }
      } else throw new BuildError(`relocation of type ${type} in ${section.name}`)
    }
  }
  placed.forEach(relocate)
  for (const { section } of code.placed) checkInstructions(section.data, section.name)

  const join = (parts: readonly Placed[], start: number, end: number, gaps?: Buffer): Buffer => {
    const bytes = Buffer.alloc(parts.length === 0 ? 0 : end - start, gaps)
    for (const { section, at } of parts) section.data.copy(bytes, at - start)
    return bytes
  }
  const codeBytes = join(code.placed, HEADERS_SIZE, code.end, EXIT_INSTRUCTION)
  const dataBytes = join(data.placed, dataStart, data.end)
  return {
    file: writeExecutable({ code: codeBytes, data: dataBytes, dataStart, entry: addressOf(entry), sites }),
    codeSize: codeBytes.length,
    dataSize: dataBytes.length,
    syscalls: [...new Set(sites.map(({ name }) => name))].sort(),
    map: placed.map(({ section, at }) => ({
      address: PROGRAM_START + at,
      size: section.data.length,
      name: section.name,
    })),
  }
}

const syscallName = (symbol: string): string => {
  const name = symbol === '__bpf_trap' ? 'abort' : symbol // what LLVM makes of `unreachable`
  if (!ALLOWED_SYSCALLS.has(name)) throw new BuildError(`a call to ${name}, which is no syscall the program may use`)
  return name
}
