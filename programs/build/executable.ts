/**
 * Writes the ELF file that Solana's loaders take, SBPF v0: what the upgradeable loader's strict checks ask for and nothing more.
 * Every address equals its offset in the file, so that the loader has only the syscalls to fill in.
 */
import { MACHINE_BPF } from './object.ts'

export interface SyscallSite {
  readonly name: string
  /** Offset in the file of the call. */
  readonly at: number
}

export interface Program {
  readonly code: Buffer
  readonly data: Buffer
  /** Offset in the file of the data. */
  readonly dataStart: number
  /** Offset in the file of the first instruction. */
  readonly entry: number
  readonly sites: readonly SyscallSite[]
}

const FILE_HEADER = 64
const SEGMENT_HEADER = 56
const SECTION_HEADER = 64
const SEGMENTS = 3
/** The code starts here. */
export const HEADERS_SIZE = FILE_HEADER + SEGMENTS * SEGMENT_HEADER

const SHARED_OBJECT = 3
const SEGMENT = { load: 1, dynamic: 2 }
const SECTION = { bits: 1, strings: 3, dynamic: 6, relocations: 9, dynamicSymbols: 11 }
const FLAG = { write: 1, load: 2, code: 4 }
const PERMISSION = { execute: 1, write: 2, read: 4 }
const TAG = {
  end: 0,
  strings: 5,
  symbols: 6,
  stringsSize: 10,
  relocations: 17,
  relocationsSize: 18,
  relocationSize: 19,
}
const SYMBOL_SIZE = 24
const RELOCATION_SIZE = 16
const DYNAMIC_SIZE = 16
const GLOBAL = 0x10
const R_BPF_64_32 = 10n

interface SectionEntry {
  readonly name: string
  readonly type: number
  readonly flags: number
  readonly align: number
  readonly bytes: Buffer
  readonly link?: string
  readonly info?: number
  readonly entrySize?: number
}

/** Little-endian words of the given widths, one after another. */
const pack = (...fields: readonly [bytes: 1 | 2 | 4 | 8, value: number][]): Buffer =>
  Buffer.concat(
    fields.map(([bytes, value]) => {
      const word = Buffer.alloc(8)
      word.writeBigUInt64LE(BigInt(value))
      return word.subarray(0, bytes)
    }),
  )
const padding = (length: number, align: number): Buffer => Buffer.alloc((align - (length % align)) % align)

/** Names of a table, each with its offset; the first byte is the empty name. */
const stringTable = (names: readonly string[]): { bytes: Buffer; offsets: Map<string, number> } => {
  const offsets = new Map<string, number>([['', 0]])
  let text = '\0'
  for (const name of names) {
    if (offsets.has(name)) continue
    offsets.set(name, text.length)
    text += `${name}\0`
  }
  return { bytes: Buffer.from(text), offsets }
}

export const writeExecutable = ({ code, data, dataStart, entry, sites }: Program): Buffer => {
  const names = [...new Set(sites.map(({ name }) => name))].sort()
  const strings = stringTable(names)
  const symbols = Buffer.concat([
    Buffer.alloc(SYMBOL_SIZE),
    ...names.map(name => pack([4, strings.offsets.get(name)!], [1, GLOBAL], [1, 0], [2, 0], [8, 0], [8, 0])),
  ])
  const relocations = Buffer.alloc(sites.length * RELOCATION_SIZE)
  const inOrder = [...sites].sort((a, b) => a.at - b.at)
  for (const [index, { name, at }] of inOrder.entries()) {
    relocations.writeBigUInt64LE(BigInt(at), index * RELOCATION_SIZE)
    relocations.writeBigUInt64LE((BigInt(names.indexOf(name) + 1) << 32n) | R_BPF_64_32, index * RELOCATION_SIZE + 8)
  }
  const dynamic = Buffer.alloc((sites.length > 0 ? 7 : 4) * DYNAMIC_SIZE)
  const shownStrings = Buffer.from(strings.bytes)

  const sections: SectionEntry[] = [
    { name: '.text', type: SECTION.bits, flags: FLAG.load | FLAG.code, align: 8, bytes: code },
    ...(data.length === 0
      ? []
      : [{ name: '.rodata', type: SECTION.bits, flags: FLAG.load, align: 16, bytes: data } satisfies SectionEntry]),
    {
      name: '.dynamic',
      type: SECTION.dynamic,
      flags: FLAG.load | FLAG.write,
      align: 8,
      bytes: dynamic,
      link: '.dynstr',
      entrySize: DYNAMIC_SIZE,
    },
    {
      name: '.dynsym',
      type: SECTION.dynamicSymbols,
      flags: FLAG.load,
      align: 8,
      bytes: symbols,
      link: '.dynstr',
      info: 1, // index of the first global symbol
      entrySize: SYMBOL_SIZE,
    },
    { name: '.dynstr', type: SECTION.strings, flags: FLAG.load, align: 1, bytes: shownStrings },
    {
      name: '.rel.dyn',
      type: SECTION.relocations,
      flags: FLAG.load,
      align: 8,
      bytes: relocations,
      link: '.dynsym',
      entrySize: RELOCATION_SIZE,
    },
  ]
  const sectionNames = stringTable([...sections.map(({ name }) => name), '.shstrtab'])
  sections.push({ name: '.shstrtab', type: SECTION.strings, flags: 0, align: 1, bytes: sectionNames.bytes })

  let size = HEADERS_SIZE
  const offsets = new Map<string, number>()
  for (const { name, align, bytes } of sections) {
    size += padding(size, align).length
    offsets.set(name, size)
    size += bytes.length
  }
  const at = (name: string): number => offsets.get(name)!
  if (data.length > 0 && at('.rodata') !== dataStart) throw new Error('the data lies elsewhere than it was linked for')

  const relocationTags: [number, number][] = [
    [TAG.relocations, at('.rel.dyn')],
    [TAG.relocationsSize, relocations.length],
    [TAG.relocationSize, RELOCATION_SIZE],
  ]
  const tags: [number, number][] = [
    ...(sites.length > 0 ? relocationTags : []), // a table of none is refused
    [TAG.symbols, at('.dynsym')],
    [TAG.strings, at('.dynstr')],
    [TAG.stringsSize, shownStrings.length],
    [TAG.end, 0],
  ]
  Buffer.concat(tags.map(([tag, value]) => pack([8, tag], [8, value]))).copy(dynamic)

  const segment = (type: number, permissions: number, start: number, end: number): Buffer =>
    pack([4, type], [4, permissions], [8, start], [8, start], [8, start], [8, end - start], [8, end - start], [8, 8])
  const codeEnd = HEADERS_SIZE + code.length
  const dynamicEnd = at('.dynamic') + dynamic.length
  const loadedEnd = at('.rel.dyn') + relocations.length
  const tableStart = size + padding(size, 8).length

  const header = Buffer.concat([
    Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]), // ELF, 64 bits, little-endian
    pack([2, SHARED_OBJECT], [2, MACHINE_BPF], [4, 1], [8, entry], [8, FILE_HEADER], [8, tableStart], [4, 0]),
    pack([2, FILE_HEADER], [2, SEGMENT_HEADER], [2, SEGMENTS], [2, SECTION_HEADER]),
    pack([2, sections.length + 1], [2, sections.length]), // the first section is the empty one; the last holds the names
    segment(
      SEGMENT.load,
      PERMISSION.read | PERMISSION.execute,
      HEADERS_SIZE,
      data.length > 0 ? dataStart + data.length : codeEnd,
    ),
    segment(SEGMENT.load, PERMISSION.read, at('.dynamic'), loadedEnd),
    segment(SEGMENT.dynamic, PERMISSION.read | PERMISSION.write, at('.dynamic'), dynamicEnd),
  ])

  const table = sections.map(({ name, type, flags, align, bytes, link, info, entrySize }) =>
    Buffer.concat([
      pack([4, sectionNames.offsets.get(name)!], [4, type], [8, flags]),
      pack([8, flags & FLAG.load ? at(name) : 0], [8, at(name)], [8, bytes.length]),
      pack([4, link === undefined ? 0 : sections.findIndex(section => section.name === link) + 1], [4, info ?? 0]),
      pack([8, align], [8, entrySize ?? 0]),
    ]),
  )

  const file = Buffer.alloc(tableStart + SECTION_HEADER * (sections.length + 1))
  header.copy(file)
  for (const { name, bytes } of sections) bytes.copy(file, at(name))
  Buffer.concat(table).copy(file, tableStart + SECTION_HEADER)
  return file
}
