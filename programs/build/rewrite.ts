/**
 * Rewrites LLVM's intermediate text so that the BPF back end of LLVM 22 meets nothing it cannot lower: arithmetic wider than 64
 * bits, signed division, multiplication with overflow, copies of unknown or great length, struct-return markers, and functions
 * of more than five argument words. What it misses, the back end refuses by name, or the linker by opcode.
 *
 * The functions named "wide." are in wide.ll.
 */

/** Copies up to here are a few loads and stores; above, a syscall (10 compute units and 1 per 250 bytes) is cheaper. */
const INLINE_BYTES = 64
/** The registers that carry arguments. */
const ARGUMENT_WORDS = 5

const isNumber = (text: string): boolean => /^-?\d+$/.test(text)
const isPowerOfTwo = (text: string): boolean => {
  if (!/^\d+$/.test(text)) return false
  const value = BigInt(text)
  return value > 0n && (value & (value - 1n)) === 0n
}

/** Splits at the commas that no bracket holds. */
const splitArguments = (text: string): string[] => {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (let at = 0; at < text.length; at++) {
    if ('([{<'.includes(text[at]!)) depth++
    else if (')]}>'.includes(text[at]!)) depth--
    else if (text[at] === ',' && depth === 0) {
      parts.push(text.slice(from, at).trim())
      from = at + 1
    }
  }
  const last = text.slice(from).trim()
  return last === '' ? parts : [...parts, last]
}

/** The index of the bracket that closes the one at `open`. */
const closing = (text: string, open: number): number => {
  let depth = 0
  for (let at = open; at < text.length; at++) {
    if (text[at] === '(') depth++
    else if (text[at] === ')' && --depth === 0) return at
  }
  throw new Error(`unbalanced brackets: ${text}`)
}

/** How many registers an argument takes: `i128 %x` takes two, `[3 x i64] %x` three. */
const wordsOf = (argument: string): number => {
  const array = /^\[(\d+) x i64\]/.exec(argument)
  if (array !== null) return Number(array[1])
  const integer = /^i(\d+)\b/.exec(argument)
  return integer === null ? 1 : Math.ceil(Number(integer[1]) / 64)
}

/** The value of "ptr align 8 %x", "i64 5" or "ptr align 8 getelementptr (i8, ptr @a, i64 4)", without type and attributes. */
const operandOf = (argument: string): string => {
  const expression = argument.search(/\b(?:getelementptr|inttoptr)\b/)
  return expression >= 0 ? argument.slice(expression) : argument.slice(argument.lastIndexOf(' ') + 1)
}

class Rewriter {
  private readonly declarations = new Map<string, string>()
  private readonly inlined = new Set<string>()
  private temporaries = 0

  run(text: string): string {
    const lines = text
      .split('\n')
      .map(line => this.definition(withoutStructReturn(line)))
      .flatMap(line => this.arithmetic(line) ?? this.overflow(line) ?? this.copy(line) ?? [line])
      .map(line => this.callOfInlined(line))
    const declared = new Set(lines.map(line => /^declare [^@]*@([^\s(]+)\(/.exec(line)?.[1]))
    const missing = [...this.declarations].filter(([name]) => !declared.has(name)).map(([, declaration]) => declaration)
    return `${[...lines, ...missing.sort()].join('\n')}\n`
  }

  /** Names a function that another module defines. */
  private extern(returns: string, name: string, parameters: string): string {
    this.declarations.set(name, `declare ${returns} @${name}(${parameters})`)
    return `@${name}`
  }

  private temporary(): string {
    return `%wide.t${this.temporaries++}`
  }

  /** A function of more argument words than registers exists only inlined. */
  private definition(line: string): string {
    if (!line.startsWith('define ')) return line
    const name = line.indexOf('@')
    const open = line.indexOf('(', name)
    const close = closing(line, open)
    const words = splitArguments(line.slice(open + 1, close)).reduce((sum, argument) => sum + wordsOf(argument), 0)
    if (words <= ARGUMENT_WORDS) return line
    this.inlined.add(line.slice(name + 1, open))
    // Its attribute group may say "noinline".
    return line.slice(0, close + 1) + line.slice(close + 1).replace(/ #\d+/, ' alwaysinline nounwind')
  }

  private callOfInlined(line: string): string {
    const callee = /\bcall\b[^@]*@([^\s(]+)\(/.exec(line)?.[1]
    return callee !== undefined && this.inlined.has(callee) ? line.replace(/\) #\d+/, ')') : line
  }

  private arithmetic(line: string): string[] | undefined {
    const match =
      /^(\s+)(%\S+) = (mul|udiv|urem|sdiv|srem|shl|lshr|ashr)(?: nuw| nsw| exact)* i(\d+) (\S+), ([^\s,]+)/.exec(line)
    if (match === null) return undefined
    const [, indent, result, operation, bits, a, b] = match as unknown as [
      string,
      string,
      string,
      string,
      string,
      string,
      string,
    ]
    const width = Number(bits)
    const isSigned = operation === 'sdiv' || operation === 'srem' || operation === 'ashr'
    const isShift = operation === 'shl' || operation === 'lshr' || operation === 'ashr'

    if (width <= 64) {
      // Unsigned, all of it is there. Signed division is not, not even by a constant other than a power of two.
      if ((operation !== 'sdiv' && operation !== 'srem') || isPowerOfTwo(b)) return undefined
      return this.widened(indent, result, `wide.${operation}64`, { a, b, from: width, to: 64, isSigned })
    }
    if (isShift ? isNumber(b) : !isSigned && isPowerOfTwo(b)) return undefined // becomes shifts by constants, which are there
    if (width <= 128) {
      return this.widened(indent, result, `wide.${operation}128`, { a, b, from: width, to: 128, isSigned })
    }
    if (width === 256 && operation === 'mul') {
      return this.widened(indent, result, 'wide.mul256', { a, b, from: 256, to: 256, isSigned })
    }
    return undefined // the back end will say so
  }

  /** A call of a helper for `to` bits with operands of `from` bits. */
  private widened(
    indent: string,
    result: string,
    helper: string,
    { a, b, from, to, isSigned }: { a: string; b: string; from: number; to: number; isSigned: boolean },
  ): string[] {
    const callee = this.extern(`i${to}`, helper, `i${to}, i${to}`)
    if (from === to) return [`${indent}${result} = call i${to} ${callee}(i${to} ${a}, i${to} ${b})`]
    const [x, y, z] = [this.temporary(), this.temporary(), this.temporary()]
    const extend = isSigned ? 'sext' : 'zext'
    return [
      `${indent}${x} = ${extend} i${from} ${a} to i${to}`,
      `${indent}${y} = ${extend} i${from} ${b} to i${to}`,
      `${indent}${z} = call i${to} ${callee}(i${to} ${x}, i${to} ${y})`,
      `${indent}${result} = trunc i${to} ${z} to i${from}`,
    ]
  }

  private overflow(line: string): string[] | undefined {
    const match = /@llvm\.([us])mul\.with\.overflow\.i(64|128)\(/.exec(line)
    if (match === null) return undefined
    if (line.startsWith('declare')) return []
    const type = `i${match[2]}`
    const callee = this.extern(`{ ${type}, i1 }`, `wide.${match[1]}mulo${match[2]}`, `${type}, ${type}`)
    const open = match.index + match[0].length - 1
    const result = /^\s+%\S+ = /.exec(line)![0]
    return [`${result}call { ${type}, i1 } ${callee}${line.slice(open, closing(line, open) + 1)}`]
  }

  private copy(line: string): string[] | undefined {
    const match = /^(\s+)(?:tail |notail )?call void @llvm\.(memcpy|memmove|memset)\.[^(]*\(/.exec(line)
    if (match === null) return undefined
    const [call, indent, kind] = match as unknown as [string, string, string]
    const open = call.length - 1
    const [to, from, length] = splitArguments(line.slice(open + 1, closing(line, open))) as [string, string, string]
    const bytes = operandOf(length)
    if (isNumber(bytes) && Number(bytes) <= INLINE_BYTES) return undefined

    const lines: string[] = []
    let count = bytes
    const type = length.split(' ')[0]!
    if (type !== 'i64') {
      count = this.temporary()
      lines.push(`${indent}${count} = zext ${type} ${bytes} to i64`)
    }
    if (kind === 'memset') {
      const callee = this.extern('void', 'sol_memset_', 'ptr, i8 zeroext, i64')
      lines.push(`${indent}call void ${callee}(ptr ${operandOf(to)}, i8 zeroext ${operandOf(from)}, i64 ${count})`)
    } else {
      // LLVM's memcpy allows source and destination to be the same, and Solana's fails on that: so always memmove, for the same price.
      const callee = this.extern('void', 'sol_memmove_', 'ptr, ptr, i64')
      lines.push(`${indent}call void ${callee}(ptr ${operandOf(to)}, ptr ${operandOf(from)}, i64 ${count})`)
    }
    return lines
  }
}

/** The pointer argument stays; only the marker goes, which the back end refuses and which changes nothing here. */
const withoutStructReturn = (line: string): string => {
  for (let at = line.indexOf(' sret('); at >= 0; at = line.indexOf(' sret(')) {
    line = line.slice(0, at) + line.slice(closing(line, at + 5) + 1)
  }
  return line
}

export const rewrite = (text: string): string => new Rewriter().run(text)
