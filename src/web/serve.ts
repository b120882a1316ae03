import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { errorCode, osText } from '../errors.ts';
import { openAccess, type ListenAddress } from './access.ts';
import { makeApp, type AppInput } from './app.ts';
import { readAssets } from './assets.ts';
import { openStreams } from './event-stream.ts';
import { urlHost } from '../words.ts';

export interface ServeOptions extends Pick<AppInput, 'supervisors' | 'readOnly' | 'compat' | 'onProblem'> {
  /** Port 0: one that is free. */
  readonly address: ListenAddress;
  readonly token: string;
  /** Further names by which clients call the server. */
  readonly allowedHosts: readonly string[];
  /** Called with the next link when the token in the address has let a browser in. Absent: the token lets in any number. */
  readonly onLinkUsed?: (next: string) => void;
  /** How many clients may follow at a time; default 64. */
  readonly mostStreams?: number;
}

export interface WebServer {
  /** `http://127.0.0.1:9080/` */
  readonly url: string;
  close(): Promise<void>;
}

const MOST_CONNECTIONS = 256;
const HEADERS_WITHIN_MS = 5000;
const REQUEST_WITHIN_MS = 10_000;
/** A client that takes nothing for so long is let go; streams say something every 15 s. */
const SILENT_MS = 60_000;

/** The address that lets a browser in. */
export function linkTo(url: string, token: string): string {
  return `${url}?token=${encodeURIComponent(token)}`;
}

/** Serves the page, the interface for programs and the metrics. Rejects with a sentence when it cannot listen. */
export async function serve({ address, token, allowedHosts, onLinkUsed, mostStreams = 64, ...served }: ServeOptions): Promise<WebServer> {
  const assets = readAssets();
  if (assets === null) throw new Error('the files of the page are missing beside the program: npm run build makes them');
  const server = createServer({ headersTimeout: HEADERS_WITHIN_MS, requestTimeout: REQUEST_WITHIN_MS, connectionsCheckingInterval: 1000, keepAliveTimeout: 5000 });
  server.maxConnections = MOST_CONNECTIONS;
  server.setTimeout(SILENT_MS);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const next = errorCode(error) === 'EADDRINUSE' ? `; on a port that is free: --listen ${urlHost({ ...address, port: 0 })}` : '';
      reject(new Error(`cannot listen on ${urlHost(address)}: ${osText(error)}${next}`));
    });
    server.listen({ host: address.host, port: address.port }, resolve);
  });
  const bound: ListenAddress = { host: address.host, port: (server.address() as AddressInfo).port };
  const url = `http://${urlHost(bound)}/`;
  const access = openAccess(token, bound, { allowedHosts, ...(onLinkUsed !== undefined && { onUsed: (next: string) => onLinkUsed(linkTo(url, next)) }) });
  const streams = openStreams(mostStreams);
  const { app, sites } = makeApp({ ...served, access, assets, streams });
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  server.on('request', (request, response) => void listener(request, response));
  server.on('error', (error) => served.onProblem(`cannot accept a connection: ${error.message}`));
  return {
    url,
    close: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      streams.close();
      sites.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
