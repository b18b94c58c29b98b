/**
 * The schema, as numbered steps that are applied once each and never changed afterwards.
 *
 * Amounts are NUMERIC(39, 0): exact for everything up to 128 bits, summed and compared by the database (text would do neither), and a
 * fraction cannot get in. Times are unix seconds. What is derived is only ever appended, with the slot it came from, so that a fork is
 * undone by deleting; candles alone are overwritten, and made anew from the rows that are left.
 */
import type { Database } from './database.ts'
import { fail } from './errors.ts'

/** One writer at a time, whoever it is: a number of our own. */
export const LOCK = 'SELECT pg_advisory_xact_lock(7306001)'

const FIRST = `
CREATE TABLE events (
  slot BIGINT NOT NULL, signature TEXT NOT NULL, instruction INT NOT NULL, call INT NOT NULL,
  time BIGINT NOT NULL, block_time BIGINT,
  PRIMARY KEY (slot, signature, instruction, call)
);
CREATE TABLE subjects (
  account TEXT NOT NULL, sequence BIGINT NOT NULL,
  slot BIGINT NOT NULL, signature TEXT NOT NULL, instruction INT NOT NULL, call INT NOT NULL,
  applied BOOLEAN NOT NULL,
  PRIMARY KEY (account, sequence)
);
CREATE INDEX subjects_slot ON subjects (slot);
CREATE INDEX subjects_waiting ON subjects (account, sequence) WHERE NOT applied;
CREATE TABLE records (
  slot BIGINT NOT NULL, signature TEXT NOT NULL, instruction INT NOT NULL, call INT NOT NULL, record INT NOT NULL,
  type TEXT NOT NULL, body JSONB NOT NULL,
  PRIMARY KEY (slot, signature, instruction, call, record)
);
CREATE INDEX records_type ON records (type, slot);
CREATE INDEX events_signature ON events (signature);
CREATE TABLE markets (
  market TEXT NOT NULL PRIMARY KEY, slot BIGINT NOT NULL, signature TEXT NOT NULL, time BIGINT NOT NULL,
  name TEXT NOT NULL, kind TEXT NOT NULL, maturity BIGINT NOT NULL, rate NUMERIC(39, 0) NOT NULL
);
CREATE TABLE market_states (
  market TEXT NOT NULL, sequence BIGINT NOT NULL, slot BIGINT NOT NULL, signature TEXT NOT NULL, time BIGINT NOT NULL,
  rate NUMERIC(39, 0) NOT NULL, discount NUMERIC(39, 0) NOT NULL, tau_seconds BIGINT NOT NULL,
  vault NUMERIC(39, 0) NOT NULL, fees NUMERIC(39, 0) NOT NULL, deficit NUMERIC(39, 0) NOT NULL,
  pt NUMERIC(39, 0) NOT NULL, issued NUMERIC(39, 0) NOT NULL,
  fund_margin NUMERIC(39, 0) NOT NULL, fund_st NUMERIC(39, 0) NOT NULL, fund_yt NUMERIC(39, 0) NOT NULL,
  long_yt NUMERIC(39, 0) NOT NULL, short_yt NUMERIC(39, 0) NOT NULL,
  apy NUMERIC(39, 0) NOT NULL, apy_open NUMERIC(39, 0) NOT NULL, apy_high NUMERIC(39, 0) NOT NULL, apy_low NUMERIC(39, 0) NOT NULL,
  price NUMERIC(39, 0) NOT NULL, price_open NUMERIC(39, 0) NOT NULL, price_high NUMERIC(39, 0) NOT NULL, price_low NUMERIC(39, 0) NOT NULL,
  volume NUMERIC(39, 0) NOT NULL, volume_yt NUMERIC(39, 0) NOT NULL, volume_fees NUMERIC(39, 0) NOT NULL, trades BIGINT NOT NULL,
  PRIMARY KEY (market, sequence)
);
CREATE INDEX market_states_slot ON market_states (slot);
CREATE INDEX market_states_time ON market_states (market, time);
CREATE TABLE account_states (
  market TEXT NOT NULL, owner TEXT NOT NULL, sub INT NOT NULL, sequence BIGINT NOT NULL, record INT NOT NULL,
  slot BIGINT NOT NULL, signature TEXT NOT NULL, time BIGINT NOT NULL, cause TEXT NOT NULL,
  coupon NUMERIC(39, 0) NOT NULL, margin_change NUMERIC(39, 0) NOT NULL, st_change NUMERIC(39, 0) NOT NULL,
  yt_change NUMERIC(39, 0) NOT NULL, net_deposits_change NUMERIC(39, 0) NOT NULL,
  margin NUMERIC(39, 0) NOT NULL, st NUMERIC(39, 0) NOT NULL, yt NUMERIC(39, 0) NOT NULL, net_deposits NUMERIC(39, 0) NOT NULL,
  discount NUMERIC(39, 0) NOT NULL,
  cost NUMERIC(39, 0) NOT NULL, entry_rate NUMERIC(39, 0) NOT NULL,
  coupons NUMERIC(39, 0) NOT NULL, traded NUMERIC(39, 0) NOT NULL, fees NUMERIC(39, 0) NOT NULL, penalties NUMERIC(39, 0) NOT NULL,
  PRIMARY KEY (market, owner, sub, sequence, record)
);
CREATE INDEX account_states_slot ON account_states (slot);
CREATE INDEX account_states_owner ON account_states (owner, slot, market, sequence, record);
CREATE INDEX account_states_order ON account_states (market, slot, sequence, record);
CREATE TABLE position_states (
  market TEXT NOT NULL, owner TEXT NOT NULL, lower INT NOT NULL, upper INT NOT NULL, sequence BIGINT NOT NULL, record INT NOT NULL,
  slot BIGINT NOT NULL, signature TEXT NOT NULL, time BIGINT NOT NULL,
  liquidity NUMERIC(39, 0) NOT NULL, issued NUMERIC(39, 0) NOT NULL, uncollected NUMERIC(39, 0) NOT NULL,
  PRIMARY KEY (market, owner, lower, upper, sequence, record)
);
CREATE INDEX position_states_slot ON position_states (slot);
CREATE INDEX position_states_owner ON position_states (owner);
CREATE TABLE trades (
  market TEXT NOT NULL, sequence BIGINT NOT NULL, record INT NOT NULL,
  slot BIGINT NOT NULL, signature TEXT NOT NULL, time BIGINT NOT NULL, cause TEXT NOT NULL, owner TEXT, sub INT,
  side TEXT NOT NULL, filled NUMERIC(39, 0) NOT NULL, amount NUMERIC(39, 0) NOT NULL, st_leg NUMERIC(39, 0) NOT NULL,
  fee_total NUMERIC(39, 0) NOT NULL, fee_repaid NUMERIC(39, 0) NOT NULL, fee_lp NUMERIC(39, 0) NOT NULL,
  fee_insurance NUMERIC(39, 0) NOT NULL, fee_protocol NUMERIC(39, 0) NOT NULL,
  rate_before NUMERIC(39, 0) NOT NULL, rate_after NUMERIC(39, 0) NOT NULL, apy NUMERIC(39, 0) NOT NULL, price NUMERIC(39, 0) NOT NULL,
  complete BOOLEAN NOT NULL,
  PRIMARY KEY (market, sequence, record)
);
CREATE INDEX trades_slot ON trades (slot, market, sequence, record);
CREATE INDEX trades_market ON trades (market, slot, sequence, record);
CREATE INDEX trades_owner ON trades (owner, slot, market, sequence, record);
CREATE TABLE coupons (
  kind TEXT NOT NULL, sequence BIGINT NOT NULL, record INT NOT NULL, slot BIGINT NOT NULL, signature TEXT NOT NULL, time BIGINT NOT NULL,
  paid_to BIGINT NOT NULL, discount NUMERIC(39, 0) NOT NULL, paid NUMERIC(39, 0) NOT NULL,
  fees_paid NUMERIC(39, 0) NOT NULL, carry NUMERIC(39, 0) NOT NULL,
  PRIMARY KEY (kind, sequence, record)
);
CREATE INDEX coupons_slot ON coupons (slot);
CREATE TABLE st_states (
  kind TEXT NOT NULL, sequence BIGINT NOT NULL, record INT NOT NULL, slot BIGINT NOT NULL, signature TEXT NOT NULL, time BIGINT NOT NULL,
  vault NUMERIC(39, 0) NOT NULL,
  PRIMARY KEY (kind, sequence, record)
);
CREATE INDEX st_states_slot ON st_states (slot);
CREATE TABLE candles (
  market TEXT NOT NULL, width INT NOT NULL, start BIGINT NOT NULL,
  first BIGINT NOT NULL, last BIGINT NOT NULL,
  apy_open NUMERIC(39, 0) NOT NULL, apy_high NUMERIC(39, 0) NOT NULL, apy_low NUMERIC(39, 0) NOT NULL, apy_close NUMERIC(39, 0) NOT NULL,
  price_open NUMERIC(39, 0) NOT NULL, price_high NUMERIC(39, 0) NOT NULL, price_low NUMERIC(39, 0) NOT NULL, price_close NUMERIC(39, 0) NOT NULL,
  volume NUMERIC(39, 0) NOT NULL, volume_yt NUMERIC(39, 0) NOT NULL, volume_fees NUMERIC(39, 0) NOT NULL, trades BIGINT NOT NULL,
  vault NUMERIC(39, 0) NOT NULL, long_yt NUMERIC(39, 0) NOT NULL, short_yt NUMERIC(39, 0) NOT NULL,
  PRIMARY KEY (market, width, start)
);
CREATE TABLE progress (
  single BOOLEAN NOT NULL PRIMARY KEY CHECK (single), finalised BIGINT NOT NULL, signature TEXT
);
INSERT INTO progress VALUES (TRUE, -1, NULL)
`

/** Resting orders, and what is current. What was indexed does not say who asked for what: it comes again from the chain. */
const SECOND = `
TRUNCATE events, subjects, records, markets, market_states, account_states, position_states, trades, coupons, st_states, candles;
UPDATE progress SET finalised = -1, signature = NULL;
ALTER TABLE events ADD COLUMN name TEXT NOT NULL, ADD COLUMN terms JSONB;
ALTER TABLE account_states ADD COLUMN order_fees NUMERIC(39, 0) NOT NULL, ADD COLUMN orders INT NOT NULL;
CREATE TABLE order_states (
  market TEXT NOT NULL, owner TEXT NOT NULL, sub INT NOT NULL, id INT NOT NULL, placed BIGINT NOT NULL,
  sequence BIGINT NOT NULL, record INT NOT NULL,
  slot BIGINT NOT NULL, signature TEXT NOT NULL, time BIGINT NOT NULL, status TEXT NOT NULL,
  action TEXT NOT NULL, spot BOOLEAN NOT NULL, limit_rate NUMERIC(39, 0) NOT NULL, minimum NUMERIC(39, 0) NOT NULL,
  trigger TEXT NOT NULL, level NUMERIC(39, 0) NOT NULL, expires_at BIGINT NOT NULL,
  placed_amount NUMERIC(39, 0) NOT NULL, placed_fee NUMERIC(39, 0) NOT NULL,
  amount NUMERIC(39, 0) NOT NULL, fee NUMERIC(39, 0) NOT NULL,
  by TEXT, filled_change NUMERIC(39, 0) NOT NULL, fee_change NUMERIC(39, 0) NOT NULL,
  filled NUMERIC(39, 0) NOT NULL, fees_paid NUMERIC(39, 0) NOT NULL,
  PRIMARY KEY (market, owner, sub, id, sequence, record)
);
CREATE INDEX order_states_slot ON order_states (slot, market, sequence, record);
CREATE INDEX order_states_market ON order_states (market, slot, sequence, record);
CREATE INDEX order_states_owner ON order_states (owner, slot, market, sequence, record);
CREATE TABLE accounts (
  market TEXT NOT NULL, owner TEXT NOT NULL, sub INT NOT NULL,
  sequence BIGINT NOT NULL, record INT NOT NULL, slot BIGINT NOT NULL, open BOOLEAN NOT NULL,
  PRIMARY KEY (market, owner, sub)
);
CREATE INDEX accounts_owner ON accounts (owner, market, sub);
CREATE INDEX accounts_open ON accounts (market, owner, sub) WHERE open;
CREATE INDEX accounts_slot ON accounts (slot);
CREATE TABLE positions (
  market TEXT NOT NULL, owner TEXT NOT NULL, lower INT NOT NULL, upper INT NOT NULL,
  sequence BIGINT NOT NULL, record INT NOT NULL, slot BIGINT NOT NULL, open BOOLEAN NOT NULL,
  PRIMARY KEY (market, owner, lower, upper)
);
CREATE INDEX positions_owner ON positions (owner, market, lower, upper);
CREATE INDEX positions_open ON positions (market, owner, lower, upper) WHERE open;
CREATE INDEX positions_slot ON positions (slot);
CREATE TABLE orders (
  market TEXT NOT NULL, owner TEXT NOT NULL, sub INT NOT NULL, id INT NOT NULL, placed BIGINT NOT NULL,
  sequence BIGINT NOT NULL, record INT NOT NULL, slot BIGINT NOT NULL, open BOOLEAN NOT NULL,
  PRIMARY KEY (market, owner, sub, id, placed)
);
CREATE INDEX orders_owner ON orders (owner, market, sub, id, placed);
CREATE INDEX orders_open ON orders (market, owner, sub, id, placed) WHERE open;
CREATE INDEX orders_slot ON orders (slot)
`

export const MIGRATIONS: readonly string[] = [FIRST, SECOND]

/** Brings a database to the newest schema, all in one transaction; `newer-database` if it is beyond. */
export const migrate = (database: Database, migrations = MIGRATIONS): Promise<void> =>
  database.transaction(async on => {
    await on.query(LOCK)
    await on.query('CREATE TABLE IF NOT EXISTS migrations (number INT NOT NULL PRIMARY KEY)')
    const [{ applied }] = (await on.query('SELECT COUNT(*) AS applied FROM migrations')) as [{ applied: number }]
    if (applied > migrations.length) {
      fail('newer-database', `The database is at schema ${applied}, this code knows ${migrations.length}: update it`, {
        applied,
        known: migrations.length,
      })
    }
    for (const [at, text] of migrations.entries()) {
      if (at < applied) continue
      for (const statement of text.split(/;\n/)) await on.query(statement)
      await on.query('INSERT INTO migrations VALUES ($1)', [at + 1])
    }
  })
