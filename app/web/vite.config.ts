/** Builds the page into `dist`; in development it asks an API elsewhere: `SUNDER_API=http://127.0.0.1:3000 npx vite app/web`. */
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const api = process.env['SUNDER_API'] ?? 'http://127.0.0.1:3000'

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  server: { proxy: { '/v1': api, '/openapi.json': api, '/healthz': api, '/readyz': api } },
  build: {
    outDir: 'dist',
    target: 'es2022',
    emptyOutDir: true,
    // The whole of it is named by its contents, so that it may be kept for ever.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
})
