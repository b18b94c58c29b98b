/** Light or dark: the system's unless somebody has chosen. Charts draw with the colours that are in force. */
import { createStore, useStore } from './store.ts'

export type Theme = 'light' | 'dark'

const KEY = 'sunder.theme'
const system = matchMedia('(prefers-color-scheme: dark)')
const chosen = (): string | undefined => document.documentElement.dataset['theme']
const inForce = (): Theme => {
  const theme = chosen()
  return theme === 'light' || theme === 'dark' ? theme : system.matches ? 'dark' : 'light'
}

const store = createStore<Theme>(inForce())
system.addEventListener('change', () => store.set(inForce()))

export const useTheme = (): Theme => useStore(store)

export const switchTheme = (): void => {
  const next: Theme = inForce() === 'dark' ? 'light' : 'dark'
  document.documentElement.dataset['theme'] = next
  try {
    localStorage.setItem(KEY, next)
  } catch {
    // without storage it is forgotten with the page
  }
  store.set(next)
}

const colours = new Map<string, string>()
store.subscribe(() => colours.clear())

/** A custom property's colour as it is now, for what draws on a canvas. */
export const colour = (name: string): string => {
  const known = colours.get(name)
  if (known !== undefined) return known
  const probe = document.createElement('span')
  probe.style.color = `var(--${name})`
  probe.style.display = 'none'
  document.body.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  colours.set(name, color)
  return color
}
