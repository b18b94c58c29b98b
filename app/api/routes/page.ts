/** The page, and until it is built what is here, for whoever opens the address in a browser. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { formatPercent, formatTime } from '../../../amm/index.ts'
import type { RouteOptions } from '../context.ts'

interface PageOptions extends RouteOptions {
  readonly hasPage: () => boolean
}

export const pageRoutes: FastifyPluginAsyncTypebox<PageOptions> = async (
  app,
  { context: { feed, chain }, hasPage },
) => {
  app.get('/', { schema: { hide: true } }, async (_, reply) => {
    if (hasPage()) return reply.sendFile('index.html')
    const rows = feed.markets.map(
      ({ name, view }) => `<tr><td><a href="/v1/markets/${name}">${name}</a><td>${formatPercent(view.impliedApy)}
        <td>${formatTime(view.maturity)}`,
    )
    const kind = chain.local ? `a local chain, whose clock runs ${chain.speed}x` : 'a Solana cluster'
    return reply.type('text/html; charset=utf-8').send(`<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Sunder</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem}td,th{padding:.2rem 1rem .2rem 0;text-align:left}</style>
<h1>Sunder</h1><p>A leveraged yield exchange for JLP, on ${kind}.</p>
<table><tr><th>Market<th>Implied APY<th>Maturity</tr>${rows.join('')}</table>
<p><a href="/v1/markets">/v1/markets</a> · <a href="/openapi.json">/openapi.json</a> · <a href="/readyz">/readyz</a> · <a href="/metrics">/metrics</a></p>
</html>`)
  })
}
