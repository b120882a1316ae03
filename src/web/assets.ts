import { createHash } from 'node:crypto';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { HonoRequest } from 'hono';
import { interpreter } from '../interpreter.ts';

/** A file of the page, held in memory: no request leads to the file system. */
export interface Asset {
  readonly type: string;
  readonly tag: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly gzip: Uint8Array<ArrayBuffer>;
  readonly brotli: Uint8Array<ArrayBuffer>;
}

const TYPES: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8', 'page.js': 'text/javascript; charset=utf-8', 'page.css': 'text/css; charset=utf-8',
  'login.css': 'text/css; charset=utf-8', 'icon.svg': 'image/svg+xml',
};

/** The files of the page by their paths; null where they were not built. */
export function readAssets(): ReadonlyMap<string, Asset> | null {
  if (interpreter.pageFile('page.js') === null) return null;
  return new Map(Object.entries(TYPES).map(([name, type]) => {
    const plain = interpreter.pageFile(name) ?? new Uint8Array();
    const tag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`;
    const asset = { type, tag, plain, gzip: new Uint8Array(gzipSync(plain, { level: 9 })), brotli: new Uint8Array(brotliCompressSync(plain)) };
    return [name === 'index.html' ? '/' : `/${name}`, asset];
  }));
}

/** The asset as the client takes it; what the client has already is not sent again. */
export function assetResponse({ type, tag, plain, gzip, brotli }: Asset, request: HonoRequest): Response {
  const common = { 'content-type': type, 'cache-control': 'no-cache', etag: tag, vary: 'accept-encoding' };
  if (request.header('if-none-match') === tag) return new Response(null, { status: 304, headers: common });
  const encodings = request.header('accept-encoding') ?? '';
  if (/\bbr\b/.test(encodings)) return new Response(brotli, { headers: { ...common, 'content-encoding': 'br' } });
  if (/\bgzip\b/.test(encodings)) return new Response(gzip, { headers: { ...common, 'content-encoding': 'gzip' } });
  return new Response(plain, { headers: common });
}
