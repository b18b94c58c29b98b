/** Writes small relocatable objects, as `llc` would, for the linker to be tested without it. */

export interface TestSection {
  readonly name: string
  readonly data: Buffer
  readonly flags: number
  readonly relocations?: readonly { readonly offset: number; readonly type: number; readonly symbol: string }[]
}

export const CODE = 2 | 4
export const CONSTANT = 2
export const CHANGING = 2 | 1

/** One instruction: opcode, registers (destination low, source high), offset, constant. */
export const slot = (opcode: number, registers = 0, offset = 0, constant = 0): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes[0] = opcode
  bytes[1] = registers
  bytes.writeInt16LE(offset, 2)
  bytes.writeInt32LE(constant, 4)
  return bytes
}

/** Symbols are those of the sections by their names, at their starts, and any other name that a relocation mentions. */
export const writeObject = (sections: readonly TestSection[], entry = sections[0]!.name): Buffer => {
  const mentioned = sections.flatMap(({ relocations = [] }) => relocations.map(({ symbol }) => symbol))
  const symbols = [...new Set([...sections.map(({ name }) => name), ...mentioned, 'entrypoint'])]
  let strings = '\0'
  const string = (text: string): number => {
    strings += `${text}\0`
    return strings.length - text.length - 1
  }
  const sectionOf = (symbol: string): number =>
    sections.findIndex(({ name }) => name === (symbol === 'entrypoint' ? entry : symbol)) + 1

  const table = Buffer.alloc(24 * (symbols.length + 1))
  symbols.forEach((symbol, i) => {
    table.writeUInt32LE(string(symbol), 24 * (i + 1))
    table.writeUInt16LE(sectionOf(symbol), 24 * (i + 1) + 6)
  })
  const relocations = sections.map(({ relocations = [] }) =>
    Buffer.concat(
      relocations.map(({ offset, type, symbol }) => {
        const entry = Buffer.alloc(16)
        entry.writeBigUInt64LE(BigInt(offset), 0)
        entry.writeBigUInt64LE((BigInt(symbols.indexOf(symbol) + 1) << 32n) | BigInt(type), 8)
        return entry
      }),
    ),
  )

  const [symbolTable, names] = [2 * sections.length + 1, 2 * sections.length + 2]
  const headers = [
    ...sections.map(({ name, data, flags }) => ({ name, data, flags, type: 1, link: 0, info: 0 })),
    ...relocations.map((data, i) => ({ name: '.rel', data, flags: 0, type: 9, link: symbolTable, info: i + 1 })),
    { name: '.symtab', data: table, flags: 0, type: 2, link: names, info: 1 },
  ].map(header => ({ ...header, nameAt: string(header.name) }))
  const nameAt = string('.strtab')
  const all = [...headers, { name: '.strtab', data: Buffer.from(strings), flags: 0, type: 3, link: 0, info: 0, nameAt }]

  const file: Buffer[] = [Buffer.alloc(64)]
  const sectionTable = Buffer.alloc(64 * (all.length + 1))
  let at = 64
  all.forEach(({ nameAt, type, flags, data, link, info }, i) => {
    const o = 64 * (i + 1)
    sectionTable.writeUInt32LE(nameAt, o)
    sectionTable.writeUInt32LE(type, o + 4)
    sectionTable.writeBigUInt64LE(BigInt(flags), o + 8)
    sectionTable.writeBigUInt64LE(BigInt(at), o + 24)
    sectionTable.writeBigUInt64LE(BigInt(data.length), o + 32)
    sectionTable.writeUInt32LE(link, o + 40)
    sectionTable.writeUInt32LE(info, o + 44)
    sectionTable.writeBigUInt64LE(8n, o + 48)
    file.push(data)
    at += data.length
  })
  const head = file[0]!
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(head)
  head.writeUInt16LE(1, 16)
  head.writeUInt16LE(247, 18)
  head.writeBigUInt64LE(BigInt(at), 40)
  head.writeUInt16LE(all.length + 1, 60)
  head.writeUInt16LE(names, 62)
  return Buffer.concat([...file, sectionTable])
}
