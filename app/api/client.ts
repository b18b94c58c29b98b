/**
 * The API with types, for pages and programs: `const api = createApi('http://127.0.0.1:3000')`, then
 * `const { data, error } = await api.GET('/v1/markets/{market}', { params: { path: { market: 'JLP-2411' } } })`.
 * Types come from generated/schema.d.ts; nothing of the server is loaded.
 */
import createClient, { type Client, type ClientOptions } from 'openapi-fetch'
import type { components, paths } from './generated/schema.d.ts'

export type Api = Client<paths>
/** Shapes by their names: `Shape<'Market'>`. */
export type Shape<N extends keyof components['schemas']> = components['schemas'][N]

/** `options`: such as another `fetch`. */
export const createApi = (baseUrl: string, options: Omit<ClientOptions, 'baseUrl'> = {}): Api =>
  createClient<paths>({ ...options, baseUrl })
