/** The build itself, where its packages are installed (docs/program-build.md says which); elsewhere one skipped test says why not. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { compile } from '../../programs/build/compile.ts'
import { runOnHost, sampleAnswers } from '../../programs/build/host.ts'
import { findTools } from '../../programs/build/packages.ts'
import { Chain } from './build-chain.ts'

const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '')
const tools = findTools()

const inFolder = <R>(work: (folder: string) => R): R => {
  const folder = mkdtempSync(join(tmpdir(), 'sunder-test-'))
  try {
    return work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const command = (...args: string[]): { status: number | null; said: string } => {
  const { status, stdout, stderr } = spawnSync('npx', ['tsx', 'programs/build/run.ts', ...args], {
    cwd: root,
    encoding: 'utf8',
  })
  return { status, said: stdout + stderr }
}

test('the command explains itself, and refuses what it does not know', () => {
  expect(command('--help')).toMatchObject({ status: 0, said: expect.stringContaining('usage: npm run program:build') })
  expect(command('--frobnicate')).toMatchObject({ status: 2, said: expect.stringContaining('usage:') })
})

test.each([
  { of: 'the program', options: ['--check'] },
  { of: 'the self-check', options: ['--check', '--selfcheck'] },
])('$of: --check passes: with the compiler it was made with it rebuilds, and else says why not', ({ options }) => {
  const { status, said } = command(...options)
  expect(said).toMatch(/rebuilt, the same bytes|fits its sources\nnot rebuilt: /)
  expect(status).toBe(0)
})

if (typeof tools === 'string') {
  test.skip(`skipped: no compiler for the program here (${tools})`, () => {})
} else {
  describe('the build', () => {
    /** A crate of one file, beside a copy of the runtime. */
    const building = (body: string) => () =>
      inFolder(folder => {
        cpSync(join(root, 'programs/sunder/src/runtime'), join(folder, 'runtime'), { recursive: true })
        const head = '#![no_std]\npub mod runtime;\nuse runtime::*;\ncrate::entrypoint!(process);\n'
        writeFileSync(join(folder, 'lib.rs'), `${head}${body}`)
        return compile({ root: folder, main: 'lib.rs' })
      })
    const process = (statements: string, more = ''): string =>
      `fn process(_: &Pubkey, _: &[AccountInfo], data: &[u8]) -> ProgramResult { let _ = data; ${statements} }\n${more}`

    test('gives the same bytes from any folder, for program and self-check', () => {
      for (const main of ['programs/sunder/src/lib.rs', 'programs/build/selfcheck/program.rs']) {
        const files = ['a', 'another/deeper/one'].map(name =>
          inFolder(folder => {
            const copy = join(folder, name)
            mkdirSync(copy, { recursive: true })
            for (const part of ['programs/sunder/src', 'programs/build/selfcheck']) {
              cpSync(join(root, part), join(copy, part), { recursive: true })
            }
            return compile({ root: copy, main }).file
          }),
        )
        expect(files[0]!.equals(files[1]!)).toBe(true)
        expect(files[0]!.toString('latin1')).not.toContain(tmpdir())
      }
    })

    test('builds something new that runs', () => {
      const { file } = building(process('set_return_data(&[data[0] * 2]); Ok(())'))()
      const chain = new Chain()
      expect([...chain.call(chain.load('new', file), Buffer.from([21])).returned]).toEqual([42])
      expect(chain.call(chain.load('new', file), Buffer.from([200])).logs.join()).toContain('Panicked in lib.rs at 5:')
    })

    test.each([
      ['Rust that does not compile, with what rustc says', process('data.nonsense()'), 'no method named `nonsense`'],
      [
        'a syscall that is not on the list',
        process('unsafe { sol_curve_group_op() }; Ok(())', 'extern "C" { fn sol_curve_group_op(); }'),
        'sol_curve_group_op, which is no syscall',
      ],
      [
        'a static that changes',
        process('unsafe { COUNT += data[0]; set_return_data(&[COUNT]) }; Ok(())', 'static mut COUNT: u8 = 1;'),
        'is a static that changes',
      ],
      ['floating point', process('set_return_data(&(data[0] as f64 * 1.5).to_le_bytes()); Ok(())'), 'mul'],
      [
        'a frame of more than 4 KiB',
        process('let mut a = [data[0]; 5000]; core::hint::black_box(&mut a); set_return_data(&a[..3]); Ok(())'),
        'stack',
      ],
    ])('refuses %s', (_, body, message) => {
      expect(building(body)).toThrow(message)
    })
  })

  describe('on the host', () => {
    test("the program's unit tests pass", () => {
      expect(runOnHost(root, 'programs/sunder/src/lib.rs', { isTest: true })).toContain('test result: ok.')
    })

    test("the self-check's recorded answers are those of this host", () => {
      const recorded = JSON.parse(readFileSync(join(root, 'programs/build/selfcheck/answers.json'), 'utf8'))
      expect(sampleAnswers(root)).toEqual(recorded)
    })
  })
}
