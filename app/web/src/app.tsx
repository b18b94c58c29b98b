/** The frame of all pages. Each page is loaded when it is first opened. */
import { lazy, Suspense, useEffect, useRef } from 'react'
import { useChain, useNow, useStale } from './chain.ts'
import { ErrorBoundary } from './components/error-boundary.tsx'
import { Banner } from './components/index.tsx'
import { formatTime } from './format.ts'
import { href, PAGES, type PageName, useRoute } from './router.ts'
import { switchTheme, useTheme } from './theme.ts'
import { Toasts } from './wallet/toasts.tsx'
import { WalletButton, WalletDialog } from './wallet/wallet.tsx'

const TITLES: Readonly<Record<PageName, string>> = {
  markets: 'Markets',
  trade: 'Trade',
  earn: 'Earn',
  liquidity: 'Liquidity',
  arbitrage: 'Arbitrage',
  portfolio: 'Portfolio',
}

/** A part of the page that could not be loaded is asked for once more: the server may have been about to replace it. */
const twice =
  <T,>(load: () => Promise<T>): (() => Promise<T>) =>
  () =>
    load().catch(() => new Promise<T>((done, failed) => setTimeout(() => load().then(done, failed), AGAIN)))
/** Milliseconds. */
const AGAIN = 1000

const VIEWS = {
  markets: lazy(twice(() => import('./pages/markets.tsx'))),
  trade: lazy(twice(() => import('./pages/trade.tsx'))),
  earn: lazy(twice(() => import('./pages/earn.tsx'))),
  liquidity: lazy(twice(() => import('./pages/liquidity.tsx'))),
  arbitrage: lazy(twice(() => import('./pages/arbitrage.tsx'))),
  portfolio: lazy(twice(() => import('./pages/portfolio.tsx'))),
}

const Network = () => {
  const chain = useChain()
  const now = useNow()
  const stale = useStale()
  if (chain === undefined) return <span className="badge">{stale === undefined ? 'connecting' : 'no connection'}</span>
  return (
    <span
      className={stale === undefined ? 'badge' : 'badge warn'}
      title={chain.local ? "A local chain of this machine; the time is the chain's own" : 'A Solana cluster'}
    >
      {chain.local ? `local chain ${chain.speed}x` : 'Solana'}
      {now === undefined ? null : <span className="num clock">{formatTime(now)}</span>}
    </span>
  )
}

const ThemeSwitch = () => {
  const theme = useTheme()
  const other = theme === 'dark' ? 'light' : 'dark'
  return (
    <button type="button" className="button quiet" aria-label={`Switch to the ${other} theme`} onClick={switchTheme}>
      <span aria-hidden="true">{theme === 'dark' ? '☀' : '☾'}</span>
    </button>
  )
}

export const App = () => {
  const { page, rest } = useRoute()
  const stale = useStale()
  const main = useRef<HTMLElement>(null)
  const shown = useRef(page)
  const View = VIEWS[page]
  useEffect(() => {
    document.title = `${TITLES[page]} · Sunder`
    // Who goes to another page by keyboard begins at its head.
    if (shown.current === page) return
    shown.current = page
    main.current?.focus({ preventScroll: true })
    scrollTo(0, 0)
  }, [page])
  return (
    <div className="shell">
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <header className="header">
        <a className="brand" href={href('markets')}>
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="7" fill="var(--accent-fill)" />
            <path d="M6 22 14 8h4l-8 14zm10 2 8-14h2v3l-6 11z" fill="#fff" />
          </svg>
          Sunder
        </a>
        <nav className="nav" aria-label="Pages">
          {PAGES.map(name => (
            <a key={name} href={href(name)} aria-current={name === page ? 'page' : undefined}>
              {TITLES[name]}
            </a>
          ))}
        </nav>
        <div className="header-end">
          <Network />
          <ThemeSwitch />
          <WalletButton />
        </div>
      </header>
      <main className="main" id="main" ref={main} tabIndex={-1}>
        {stale === undefined ? null : (
          <Banner tone="warn" title={`${stale}.`}>
            Figures may be old, and nothing is quoted until it is back; the page tries again by itself.
          </Banner>
        )}
        <ErrorBoundary name={`${page}/${rest.join('/')}`}>
          <Suspense fallback={<div style={{ minHeight: '80vh' }} aria-busy="true" />}>
            <View />
          </Suspense>
        </ErrorBoundary>
      </main>
      <Footer />
      <WalletDialog />
      <Toasts />
    </div>
  )
}

const Footer = () => {
  const chain = useChain()
  return (
    <footer className="footer">
      {chain?.local === false ? null : (
        <span>
          A local chain: its tokens are test tokens, its other traders and LPs are simulated, and Jupiter's pool plays
          recorded history.
        </span>
      )}
      <span>The program has not been audited.</span>
      <span>
        Charts:{' '}
        <a href="https://www.tradingview.com/" rel="noreferrer" target="_blank">
          TradingView Lightweight Charts™
        </a>
        , uPlot
      </span>
      <a href="/openapi.json">API</a>
    </footer>
  )
}
