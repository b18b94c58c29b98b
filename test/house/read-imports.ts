/** Reads out of one source file, without running it, what it imports and which globals it uses. */
import ts from 'typescript'

export interface Import {
  /** The module named, or undefined where it is computed and cannot be read. */
  readonly specifier: string | undefined
  readonly kind: 'import' | 'export' | 'import()' | 'require' | 'worker' | 'url' | 'type' | 'reference'
  /** Gone once compiled. (`import { type A }` is not: under `verbatimModuleSyntax` the module is still loaded.) */
  readonly typeOnly: boolean
  readonly line: number
}

export interface GlobalUse {
  /** The name, with the member if one is named: "fetch", "Date.now". */
  readonly name: string
  /** `new Date(x)` and `Date.UTC` are arithmetic; every other use of Date may read the clock. */
  readonly harmlessDate: boolean
  readonly line: number
}

const CODE = /\.[cm]?[jt]sx?$/

const scriptKind = (path: string): ts.ScriptKind => {
  if (path.endsWith('.tsx')) return ts.ScriptKind.TSX
  if (path.endsWith('.jsx')) return ts.ScriptKind.JSX
  return /\.[cm]?js$/.test(path) ? ts.ScriptKind.JS : ts.ScriptKind.TS
}

export const parse = (path: string, text: string): ts.SourceFile =>
  ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, scriptKind(path))

const lineOf = (file: ts.SourceFile, position: number): number => file.getLineAndCharacterOfPosition(position).line + 1
const literal = (node: ts.Node | undefined): string | undefined =>
  node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined
const isImportMeta = (node: ts.Node | undefined): boolean =>
  node !== undefined && ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword
const isImportMetaUrl = (node: ts.Node | undefined): boolean =>
  node !== undefined && ts.isPropertyAccessExpression(node) && isImportMeta(node.expression) && node.name.text === 'url'

/** `new URL('./x.ts', import.meta.url)`. */
const isModuleUrl = (node: ts.Node | undefined): node is ts.NewExpression =>
  node !== undefined &&
  ts.isNewExpression(node) &&
  ts.isIdentifier(node.expression) &&
  node.expression.text === 'URL' &&
  isImportMetaUrl(node.arguments?.[1])

/** `require(..)`, `module.require(..)`, `require.resolve(..)`, `import.meta.resolve(..)`. */
const loads = (callee: ts.Expression): boolean => {
  if (ts.isIdentifier(callee)) return callee.text === 'require'
  if (!ts.isPropertyAccessExpression(callee)) return false
  const { name, expression } = callee
  if (name.text === 'require') return true
  return name.text === 'resolve' && (isImportMeta(expression) || loads(expression))
}

export const readImports = (file: ts.SourceFile): Import[] => {
  const found: Import[] = []
  const visit = (node: ts.Node): void => {
    const add = (kind: Import['kind'], specifier: string | undefined, typeOnly = false): void => {
      found.push({ kind, specifier, typeOnly, line: lineOf(file, node.getStart(file)) })
    }
    if (ts.isImportDeclaration(node)) {
      add('import', literal(node.moduleSpecifier), node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword)
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      add('export', literal(node.moduleSpecifier), node.isTypeOnly)
    } else if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) {
      add('require', literal(node.moduleReference.expression), node.isTypeOnly)
    } else if (ts.isImportTypeNode(node)) {
      add('type', ts.isLiteralTypeNode(node.argument) ? literal(node.argument.literal) : undefined, true)
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add('import()', literal(node.arguments[0]))
    } else if (ts.isCallExpression(node) && loads(node.expression)) {
      add('require', literal(node.arguments[0]))
    } else if (ts.isNewExpression(node) && /^(Shared)?Worker$/.test(node.expression.getText(file))) {
      if (!isModuleUrl(node.arguments?.[0])) add('worker', literal(node.arguments?.[0]))
    } else if (isModuleUrl(node)) {
      // A file that is not code is data; a computed one matters only where it is run.
      const path = literal(node.arguments?.[0])
      const isRun = ts.isNewExpression(node.parent) || ts.isCallExpression(node.parent)
      if (path === undefined ? isRun && /Worker$/.test(node.parent.expression.getText(file)) : CODE.test(path)) {
        add('url', path)
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  for (const reference of [...file.referencedFiles, ...file.typeReferenceDirectives]) {
    const specifier = file.referencedFiles.includes(reference) ? `./${reference.fileName}` : reference.fileName
    found.push({ kind: 'reference', specifier, typeOnly: true, line: lineOf(file, reference.pos) })
  }
  return found
}

/** Whether an identifier stands for a value, rather than being a member's, a label's or a declaration's name. */
const isReference = (id: ts.Identifier): boolean => {
  const { parent } = id
  if (ts.isShorthandPropertyAssignment(parent)) return true
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent) || ts.isMetaProperty(parent)) return false
  if (ts.isJsxOpeningLikeElement(parent) || ts.isJsxClosingElement(parent)) return !/^[a-z]/.test(id.text)
  if (ts.isBindingElement(parent) && parent.propertyName === id) return false
  if (ts.isLabeledStatement(parent) || ts.isBreakOrContinueStatement(parent)) return false
  return !('name' in parent && parent.name === id)
}

/** Every use of a name that the file itself does not declare (nor import), in a value position. */
export const readGlobals = (file: ts.SourceFile): GlobalUse[] => {
  const options: ts.CompilerOptions = { noLib: true, noResolve: true, allowJs: true, types: [] }
  const checker = ts
    .createProgram([file.fileName], options, {
      ...ts.createCompilerHost(options),
      getSourceFile: name => (name === file.fileName ? file : undefined),
    })
    .getTypeChecker()

  const isDeclaredHere = (id: ts.Identifier): boolean => {
    const symbol = ts.isShorthandPropertyAssignment(id.parent)
      ? checker.getShorthandAssignmentValueSymbol(id.parent)
      : checker.getSymbolAtLocation(id)
    // `declare const fetch` declares nothing: what it speaks of is still a global.
    const isAmbient = (node: ts.Declaration): boolean =>
      (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Ambient) !== 0
    return symbol?.declarations?.some(node => node.getSourceFile() === file && !isAmbient(node)) ?? false
  }

  const found: GlobalUse[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return
    if (ts.isTypeNode(node)) {
      if (ts.isExpressionWithTypeArguments(node)) visit(node.expression) // class A extends B
      return
    }
    if (ts.isIdentifier(node) && node.text !== '' && isReference(node) && !isDeclaredHere(node)) {
      const { parent } = node
      const member = ts.isPropertyAccessExpression(parent)
        ? parent.name.text
        : ts.isElementAccessExpression(parent)
          ? literal(parent.argumentExpression)
          : undefined
      const makesDate = ts.isNewExpression(parent) && parent.expression === node && parent.arguments?.length === 1
      found.push({
        name: member === undefined ? node.text : `${node.text}.${member}`,
        harmlessDate: node.text === 'Date' && (member === 'UTC' || makesDate),
        line: lineOf(file, node.getStart(file)),
      })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}
