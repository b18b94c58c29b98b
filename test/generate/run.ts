/** `npm run generate`: writes the generated files of the project anew; the tests compare them with what is committed. */
import { writeFileSync } from 'node:fs'
import { INTERFACE_FILES } from './interface-write.ts'
import { LAYOUT_FILES } from './layouts-write.ts'
import { phiTableRust, phiTableSource } from './phi-table.ts'

const root = new URL('../../', import.meta.url)
const write = (path: string, text: string): void => {
  writeFileSync(new URL(path, root), text)
  console.log(`${path}  ${text.length} bytes`)
}

write('amm/generated/phi-table.ts', phiTableSource())
write('programs/sunder/src/math/phi_table.rs', phiTableRust())
for (const [path, source] of [...LAYOUT_FILES, ...INTERFACE_FILES]) write(path, source())
const { vectorFiles } = await import('./vectors.ts') // after the table that the kernel reads
for (const [path, text] of vectorFiles()) write(path, text)
const { pictureSource } = await import('../../docs/examples/picture.ts')
write('docs/pictures/yt.svg', pictureSource())
