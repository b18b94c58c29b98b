/** The parts that all pages are made of. */
import {
  type ChangeEvent,
  type CSSProperties,
  type KeyboardEvent,
  type ReactNode,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'

type Tone = 'info' | 'warn' | 'error'

export const cls = (...names: readonly (string | false | undefined)[]): string => names.filter(Boolean).join(' ')

// ---- figures ------------------------------------------------------------------------------------------------------------

/** Room for something that is on its way; `width` in characters. */
export const Skeleton = ({ width = 6 }: { readonly width?: number }) => (
  <span className="skeleton" style={{ width: `${width}ch` }}>
    <span className="hidden-visually">loading</span>
  </span>
)

/** A number with its unit; without one there is room for it. */
export const Num = ({
  children,
  unit,
  tone,
  width,
}: {
  readonly children: string | undefined
  readonly unit?: string | undefined
  readonly tone?: 'long' | 'short' | 'warn' | undefined
  readonly width?: number
}) =>
  children === undefined ? (
    <Skeleton width={width ?? 6} />
  ) : (
    <span className={cls('num', tone)}>
      {children}
      {unit === undefined ? null : <span className="unit">{unit}</span>}
    </span>
  )

interface FigureProps {
  readonly label: ReactNode
  /** Undefined: on its way. */
  readonly value: string | undefined
  readonly unit?: string | undefined
  /** An explanation behind a small "why?". */
  readonly why?: ReactNode
  /** A line below, for which there is room whether it is there or not. */
  readonly note?: ReactNode
  readonly tone?: 'long' | 'short' | 'warn' | undefined
  readonly large?: boolean
  /** Why it may no longer be so, if it may. */
  readonly stale?: string | undefined
}

/** A figure of a `<Figures>`: label above, value, note. */
export const Figure = ({ label, value, unit, why, note, tone, large, stale }: FigureProps) => (
  <div className={cls('figure', large && 'large', stale !== undefined && 'stale')} title={stale}>
    <dt>
      {label}
      {why === undefined ? null : <Why>{why}</Why>}
    </dt>
    <dd>
      <Num unit={unit} tone={tone}>
        {value}
      </Num>
    </dd>
    {note === undefined ? null : <dd className="note">{note}</dd>}
  </div>
)
export const Figures = ({ children }: { readonly children: ReactNode }) => <dl className="figures">{children}</dl>

/** A figure of a `<Lines>`: label at the left, value at the right. */
export const Line = ({ label, value, unit, why, tone, stale, note }: FigureProps) => (
  <div className={cls('line', stale !== undefined && 'stale')} title={stale}>
    <dt>
      {label}
      {why === undefined ? null : <Why>{why}</Why>}
    </dt>
    <dd>
      <Num unit={unit} tone={tone}>
        {value}
      </Num>
      {note === undefined ? null : <span className="unit">{note}</span>}
    </dd>
  </div>
)
export const Lines = ({ children }: { readonly children: ReactNode }) => <dl className="lines">{children}</dl>

/** An explanation where the question arises. Opens in front of what is around it, so that nothing moves. */
export const Why = ({ children, label = 'why?' }: { readonly children: ReactNode; readonly label?: string }) => {
  const place = useRef<HTMLDetailsElement>(null)
  const [isOpen, setOpen] = useState(false)
  const [at, setAt] = useState<CSSProperties>({})
  useLayoutEffect(() => {
    if (!isOpen) return
    const box = place.current!
    const put = (): void => {
      const { left, bottom, top } = box.getBoundingClientRect()
      const panel = box.lastElementChild!.getBoundingClientRect()
      const below = bottom + 4 + panel.height <= innerHeight || top < panel.height
      setAt({
        left: Math.max(16, Math.min(left, innerWidth - panel.width - 16)),
        top: below ? bottom + 4 : top - 4 - panel.height,
      })
    }
    const close = (event: Event): void => {
      if (event instanceof globalThis.KeyboardEvent ? event.key === 'Escape' : !box.contains(event.target as Node)) {
        box.open = false
      }
    }
    put()
    addEventListener('scroll', put, true)
    addEventListener('resize', put)
    addEventListener('pointerdown', close)
    addEventListener('keydown', close)
    return () => {
      removeEventListener('scroll', put, true)
      removeEventListener('resize', put)
      removeEventListener('pointerdown', close)
      removeEventListener('keydown', close)
    }
  }, [isOpen])
  return (
    <details ref={place} className="why" onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>{label}</summary>
      <div style={at}>{children}</div>
    </details>
  )
}

// ---- frames --------------------------------------------------------------------------------------------------------------

export const Panel = ({
  title,
  aside,
  children,
  label,
  className,
  flush,
}: {
  readonly title?: ReactNode
  /** At the right of the title. */
  readonly aside?: ReactNode
  readonly children: ReactNode
  /** What a screen reader calls it, if there is no title. */
  readonly label?: string
  readonly className?: string
  /** Without padding, for tables. */
  readonly flush?: boolean
}) => {
  const id = useId()
  return (
    <section
      className={cls('panel', className)}
      aria-labelledby={title === undefined ? undefined : id}
      aria-label={title === undefined ? label : undefined}
    >
      {title === undefined ? null : (
        <header>
          <h2 id={id}>{title}</h2>
          {aside}
        </header>
      )}
      {flush ? children : <div className="body stack">{children}</div>}
    </section>
  )
}

export const Banner = ({
  tone = 'info',
  title,
  children,
  action,
}: {
  readonly tone?: Tone
  readonly title: ReactNode
  readonly children?: ReactNode
  readonly action?: ReactNode
}) => (
  <div className={cls('banner', tone !== 'info' && tone)} role={tone === 'error' ? 'alert' : 'status'}>
    <div>
      <strong>{title}</strong> {children}
    </div>
    {action}
  </div>
)

/** An error of the API's, with its way out. */
export const ErrorBanner = ({
  error,
}: {
  readonly error: { readonly message: string; readonly hint?: string } | undefined
}) =>
  error === undefined ? null : (
    <Banner tone="error" title={error.message}>
      {error.hint === undefined || error.message.includes(error.hint) ? null : error.hint}
    </Banner>
  )

export const Dialog = ({
  title,
  isOpen,
  onClose,
  children,
}: {
  readonly title: string
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly children: ReactNode
}) => {
  const place = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const dialog = place.current!
    if (isOpen && !dialog.open) dialog.showModal()
    if (!isOpen && dialog.open) dialog.close()
  }, [isOpen])
  return (
    <dialog ref={place} className="dialog" aria-labelledby={id} onClose={onClose}>
      <header>
        <h2 id={id}>{title}</h2>
        <button type="button" className="button small quiet" onClick={onClose}>
          Close
        </button>
      </header>
      <div className="body stack">{isOpen ? children : null}</div>
    </dialog>
  )
}

// ---- tables --------------------------------------------------------------------------------------------------------------

export interface Column<T> {
  readonly name: ReactNode
  /** What a card on a phone calls it; the name, if that is a text. */
  readonly label?: string
  readonly cell: (row: T) => ReactNode
  /** Numbers stand at the end. */
  readonly end?: boolean
}

/** What may be wider than its place. While it is, the keyboard can scroll it, too. */
const Scroll = ({ label, children }: { readonly label: string; readonly children: ReactNode }) => {
  const place = useRef<HTMLDivElement>(null)
  const [isWide, setWide] = useState(false)
  useEffect(() => {
    const box = place.current!
    const observer = new ResizeObserver(() => setWide(box.scrollWidth > box.clientWidth))
    observer.observe(box)
    observer.observe(box.firstElementChild!)
    return () => observer.disconnect()
  }, [])
  const reached = isWide ? { role: 'region', 'aria-label': label, tabIndex: 0 } : {}
  return (
    <div ref={place} className="scroll" {...reached}>
      {children}
    </div>
  )
}

/** On a phone each row is a card. */
export const Table = <T,>({
  caption,
  columns,
  rows,
  id,
  empty,
  dense,
}: {
  /** For screen readers. */
  readonly caption: string
  readonly columns: readonly Column<T>[]
  /** Undefined: on their way. */
  readonly rows: readonly T[] | undefined
  readonly id: (row: T) => string
  readonly empty: ReactNode
  readonly dense?: boolean
}) => (
  <Scroll label={`Table: ${caption}`}>
    <table className={cls('table cards', dense && 'dense')}>
      <caption className="hidden-visually">{caption}</caption>
      <thead>
        <tr>
          {columns.map(({ name, label, end }, i) => (
            <th key={label ?? (typeof name === 'string' ? name : i)} scope="col" className={end ? 'end' : undefined}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows === undefined || rows.length === 0 ? (
          <tr>
            <td className="empty" colSpan={columns.length}>
              {rows === undefined ? <Skeleton width={24} /> : empty}
            </td>
          </tr>
        ) : (
          rows.map(row => (
            <tr key={id(row)}>
              {columns.map(({ name, label, cell, end }, i) => {
                const said = label ?? (typeof name === 'string' ? name : undefined)
                return (
                  <td key={said ?? i} data-label={said} className={end ? 'end' : undefined}>
                    {cell(row)}
                  </td>
                )
              })}
            </tr>
          ))
        )}
      </tbody>
    </table>
  </Scroll>
)

// ---- forms ---------------------------------------------------------------------------------------------------------------

/** A decimal number as it is typed; what it means is its owner's question. */
export const Field = ({
  label,
  value,
  onChange,
  unit,
  aside,
  help,
  error,
  disabled,
  placeholder,
  inputMode = 'decimal',
}: {
  readonly label: ReactNode
  readonly value: string
  readonly onChange: (value: string) => void
  readonly unit?: ReactNode
  /** At the right above, such as the balance. */
  readonly aside?: ReactNode
  readonly help?: ReactNode
  readonly error?: string | undefined
  readonly disabled?: boolean
  readonly placeholder?: string
  readonly inputMode?: 'decimal' | 'text'
}) => {
  const id = useId()
  return (
    <div className="field">
      <div className="top">
        <label htmlFor={id}>{label}</label>
        <span>{aside}</span>
      </div>
      <div className={cls('input', error !== undefined && 'bad')}>
        <input
          id={id}
          type="text"
          inputMode={inputMode}
          autoComplete="off"
          spellCheck={false}
          value={value}
          placeholder={placeholder}
          disabled={disabled}
          aria-invalid={error !== undefined}
          aria-describedby={`${id}-help`}
          onChange={(event: ChangeEvent<HTMLInputElement>) => onChange(event.target.value.replace(',', '.'))}
        />
        {unit === undefined ? null : <span className="muted small">{unit}</span>}
      </div>
      <div id={`${id}-help`} className={cls('help', error !== undefined && 'bad')}>
        {error ?? help}
      </div>
    </div>
  )
}

export const Slider = ({
  label,
  value,
  onChange,
  min,
  max,
  step,
  text,
  aside,
  marks,
  disabled,
}: {
  readonly label: ReactNode
  readonly value: number
  readonly onChange: (value: number) => void
  readonly min: number
  readonly max: number
  readonly step: number
  /** The value as it is said. */
  readonly text: string
  readonly aside?: ReactNode
  readonly marks?: readonly string[]
  readonly disabled?: boolean
}) => {
  const id = useId()
  return (
    <div className="field">
      <div className="top">
        <label htmlFor={id}>{label}</label>
        <span>{aside ?? <span className="num">{text}</span>}</span>
      </div>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        disabled={disabled}
        aria-valuetext={text}
        onChange={event => onChange(Number(event.target.value))}
      />
      {marks === undefined ? null : (
        <div className="marks num" aria-hidden="true">
          {marks.map(mark => (
            <span key={mark}>{mark}</span>
          ))}
        </div>
      )}
    </div>
  )
}

export const Select = <V extends string>({
  label,
  value,
  options,
  onChange,
  aside,
  help,
}: {
  readonly label: ReactNode
  readonly value: V
  readonly options: readonly (readonly [value: V, text: string])[]
  readonly onChange: (value: V) => void
  readonly aside?: ReactNode
  readonly help?: ReactNode
}) => {
  const id = useId()
  return (
    <div className="field">
      <div className="top">
        <label htmlFor={id}>{label}</label>
        <span>{aside}</span>
      </div>
      <div className="input">
        <select id={id} value={value} onChange={event => onChange(event.target.value as V)}>
          {options.map(([option, text]) => (
            <option key={option} value={option}>
              {text}
            </option>
          ))}
        </select>
      </div>
      {help === undefined ? null : <div className="help">{help}</div>}
    </div>
  )
}

interface ChoiceProps<V extends string> {
  readonly label: string
  readonly value: V
  readonly options: readonly {
    readonly value: V
    readonly text: ReactNode
    readonly className?: string
  }[]
  readonly onChange: (value: V) => void
  readonly className?: string
}

/** With the arrow keys from one to the next. */
const onArrow = (event: KeyboardEvent<HTMLElement>): void => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
  if (step === undefined) return
  const all = [...event.currentTarget.querySelectorAll('button')]
  const at = all.indexOf(document.activeElement as HTMLButtonElement)
  const next = all[(at + step + all.length) % all.length]
  event.preventDefault()
  next?.focus()
  next?.click()
}

/** One of a few. */
export const Choice = <V extends string>({ label, value, options, onChange, className }: ChoiceProps<V>) => (
  <div className={cls('tabs', className)} role="radiogroup" aria-label={label} onKeyDown={onArrow}>
    {options.map(option => (
      // biome-ignore lint/a11y/useSemanticElements: buttons look and work alike in all browsers
      <button
        key={option.value}
        type="button"
        role="radio"
        aria-checked={option.value === value}
        tabIndex={option.value === value ? 0 : -1}
        className={option.className}
        onClick={() => onChange(option.value)}
      >
        {option.text}
      </button>
    ))}
  </div>
)

/** Views of which one is shown. `children` is the panel of the one that is. */
export const Tabs = <V extends string>({
  label,
  value,
  options,
  onChange,
  className,
  children,
}: ChoiceProps<V> & { readonly children: ReactNode }) => {
  const id = useId()
  return (
    <>
      <div className={cls('tabs', className)} role="tablist" aria-label={label} onKeyDown={onArrow}>
        {options.map(option => (
          <button
            key={option.value}
            id={`${id}-${option.value}`}
            type="button"
            role="tab"
            aria-selected={option.value === value}
            aria-controls={`${id}-panel`}
            tabIndex={option.value === value ? 0 : -1}
            className={option.className}
            onClick={() => onChange(option.value)}
          >
            {option.text}
          </button>
        ))}
      </div>
      <div id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-${value}`} className="stack">
        {children}
      </div>
    </>
  )
}

/** Long or short, by word and shape as well as by colour. */
export const Side = ({ side }: { readonly side: 'long' | 'short' }) => (
  <span className={side}>
    <span aria-hidden="true">{side === 'long' ? '▲' : '▼'}</span> {side === 'long' ? 'Long' : 'Short'}
  </span>
)
