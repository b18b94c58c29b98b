/** What operators look at, in a registry of its own. */
import { Gauge, Histogram, Registry } from 'prom-client'
import type { Feed } from './feed.ts'

/** Seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export const createMetrics = (feed: Feed) => {
  const registry = new Registry()
  const registers = [registry]
  const gauge = (name: string, help: string, collect: (gauge: Gauge) => void): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        collect(this)
      },
    })
  }
  gauge('sunder_feed_age_seconds', 'Since a new slot was last read', one => one.set(feed.age / 1000))
  gauge('sunder_feed_failures', 'Readings of the chain that failed one after the other', one => one.set(feed.failures))
  gauge('sunder_feed_markets', 'Markets in memory', one => one.set(feed.markets.length))
  gauge('sunder_process_resident_bytes', 'Memory of the process', one => one.set(process.memoryUsage.rss()))
  const slot = new Gauge({ name: 'sunder_feed_slot', help: 'Slot that was last read', registers })
  feed.on('slot', shared => slot.set(shared.slot))
  return {
    registry,
    requests: new Histogram({
      name: 'sunder_request_seconds',
      help: 'Requests by route and status',
      labelNames: ['method', 'route', 'status'],
      buckets: BUCKETS,
      registers,
    }),
    /** Set by whoever asks the index. */
    indexLag: new Gauge({ name: 'sunder_index_lag_slots', help: 'Slots that the index is behind', registers }),
    /** Set by the streams. */
    streamClients: new Gauge({ name: 'sunder_stream_clients', help: 'Clients of streams', registers }),
  }
}

export type Metrics = ReturnType<typeof createMetrics>
