/** Reads what `llc` writes: a relocatable BPF object, ELF64 little-endian. */
import { BuildError } from './errors.ts'

export interface Section {
  readonly index: number
  readonly name: string
  readonly isCode: boolean
  /** Whether the program needs it when it runs. */
  readonly isLoaded: boolean
  readonly isWritable: boolean
  readonly align: number
  readonly data: Buffer
  readonly relocations: readonly Relocation[]
}

export interface Relocation {
  readonly offset: number
  readonly type: number
  readonly symbol: ObjectSymbol
}

export interface ObjectSymbol {
  readonly name: string
  /** Index of the section that defines it; undefined for what is elsewhere. */
  readonly section: number | undefined
  readonly value: number
}

export interface ObjectFile {
  readonly sections: readonly Section[]
  readonly symbols: readonly ObjectSymbol[]
}

export const MACHINE_BPF = 247
const RELOCATABLE = 1
const SYMBOLS = 2
const RELOCATIONS_WITH_ADDEND = 4
const ZEROS = 8
const RELOCATIONS = 9
const FLAG_WRITE = 1
const FLAG_LOAD = 2
const FLAG_CODE = 4
/** Section numbers from here on are no sections: absolute symbols and the like. */
const FIRST_RESERVED = 0xff00

export const readObject = (file: Buffer): ObjectFile => {
  const u64 = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64LE(at))
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1) {
    throw new BuildError('not a 64-bit little-endian ELF file')
  }
  if (file.readUInt16LE(16) !== RELOCATABLE || file.readUInt16LE(18) !== MACHINE_BPF) {
    throw new BuildError('not a relocatable BPF object')
  }

  const table = u64(file, 40)
  const headers = Array.from({ length: file.readUInt16LE(60) }, (_, index) => {
    const at = table + index * 64
    const type = file.readUInt32LE(at + 4)
    const offset = u64(file, at + 24)
    const size = u64(file, at + 32)
    return {
      index,
      nameAt: file.readUInt32LE(at),
      type,
      flags: u64(file, at + 8),
      data: type === ZEROS ? Buffer.alloc(size) : Buffer.from(file.subarray(offset, offset + size)),
      link: file.readUInt32LE(at + 40),
      info: file.readUInt32LE(at + 44),
      align: Math.max(1, u64(file, at + 48)),
    }
  })
  const text = (section: number, at: number): string => {
    const bytes = headers[section]!.data
    return bytes.toString('utf8', at, bytes.indexOf(0, at))
  }

  const symbolTable = headers.find(({ type }) => type === SYMBOLS)
  if (symbolTable === undefined) throw new BuildError('the object has no symbols')
  const symbols: ObjectSymbol[] = []
  for (let at = 0; at < symbolTable.data.length; at += 24) {
    const section = symbolTable.data.readUInt16LE(at + 6)
    symbols.push({
      name: text(symbolTable.link, symbolTable.data.readUInt32LE(at)),
      section: section === 0 || section >= FIRST_RESERVED ? undefined : section,
      value: u64(symbolTable.data, at + 8),
    })
  }

  const relocationsOf = (target: number): Relocation[] =>
    headers
      .filter(({ type, info }) => type === RELOCATIONS && info === target)
      .flatMap(({ data }) =>
        Array.from({ length: data.length / 16 }, (_, index) => {
          const info = data.readBigUInt64LE(index * 16 + 8)
          return {
            offset: u64(data, index * 16),
            type: Number(info & 0xffffffffn),
            symbol: symbols[Number(info >> 32n)]!,
          }
        }),
      )

  if (headers.some(({ type }) => type === RELOCATIONS_WITH_ADDEND)) {
    throw new BuildError('the object has relocations of a kind that BPF does not use')
  }
  const names = file.readUInt16LE(62)
  return {
    symbols,
    sections: headers.map(({ index, nameAt, flags, data, align }) => ({
      index,
      name: text(names, nameAt),
      isCode: (flags & FLAG_CODE) !== 0,
      isLoaded: (flags & FLAG_LOAD) !== 0,
      isWritable: (flags & FLAG_WRITE) !== 0,
      align,
      data,
      relocations: relocationsOf(index),
    })),
  }
}
