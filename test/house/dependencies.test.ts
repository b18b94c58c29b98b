/** What others wrote and we run: pinned, checked, and each with a reason. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

interface Manifest {
  readonly dependencies: Record<string, string>
  readonly devDependencies: Record<string, string>
}
interface Lock {
  readonly packages: Record<
    string,
    { readonly version?: string; readonly integrity?: string; readonly resolved?: string }
  >
}

const manifest = JSON.parse(read('package.json')) as Manifest
const lock = JSON.parse(read('package-lock.json')) as Lock
const direct = { ...manifest.dependencies, ...manifest.devDependencies }
const locked = Object.entries(lock.packages).filter(([path]) => path !== '')

describe('T156 nobody slips in with a package', () => {
  test('every dependency is one exact version, which is the locked one', () => {
    for (const [name, version] of Object.entries(direct)) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/)
      expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(version)
    }
  })

  test('every package of the lock file has a strong checksum, and names no place to come from', () => {
    expect(locked.length).toBeGreaterThan(200)
    for (const [path, { integrity, resolved }] of locked) {
      expect(integrity, path).toMatch(/^sha512-/)
      expect(resolved, path).toBeUndefined()
    }
  })

  test('no package runs a script when it is installed', () => {
    expect(read('.npmrc')).toMatch(/^ignore-scripts=true$/m)
  })

  test('the README gives a reason for each, and for nothing else', () => {
    const table = read('README.md').split('## Dependencies')[1]!.split('\n\nLicence')[0]!
    const named = [...table.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell]) => cell!.split(', ')).slice(1)
    expect(named.filter(name => !/^-+$/.test(name)).sort()).toEqual(Object.keys(direct).sort())
  })
})
