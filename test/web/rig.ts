import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { flagsOf } from '../../src/cli/arguments.ts';
import type { Call } from '../../src/cli/call.ts';
import { speaker } from '../../src/cli/terminal.ts';
import { listen, type Route } from '../../src/control/server.ts';
import { openSecrets } from '../../src/secrets.ts';
import { runtimePaths } from '../../src/runtime-paths.ts';
import { openAccess } from '../../src/web/access.ts';
import { makeApp } from '../../src/web/app.ts';
import type { Asset } from '../../src/web/assets.ts';
import { openStreams } from '../../src/web/event-stream.ts';
import { supervisorsToWatch } from '../../src/web/supervisors.ts';
import type { JournalRecord, StatusSnapshot, UnitStatus } from '../../src/wire/payloads.ts';
import { encodeWatchLine, type Response as Answer } from '../../src/wire/responses.ts';
import { tempDir } from '../temp-dir.ts';

export const token = 'a-token-of-this-test';
export const host = '127.0.0.1:9080';

/** A call in a home of its own, with a configuration where one is given. */
export function makeCall(yaml: string | null = null): Call {
  const home = tempDir();
  if (yaml !== null) writeFileSync(join(home, 'sysg.yaml'), yaml);
  const env = { HOME: home };
  const paths = runtimePaths({ system: false, env });
  mkdirSync(paths.stateDir, { recursive: true, mode: 0o700 });
  return {
    flags: flagsOf(new Map()), operands: [], command: null, system: false, dropPrivileges: false, logLevel: null, paths, host: null, env, cwd: home, secrets: openSecrets(),
    terminal: speaker({ columns: null, color: false, stderrIsTerminal: () => false, write: async () => {}, print: () => {}, complain: () => {} }, 'off'),
  };
}

export function unit(name: string, more: Partial<UnitStatus> = {}): UnitStatus {
  return {
    name, hash: '0123456789abcdef', kind: 'service', lifecycle: 'running', health: 'healthy', command: `run ${name}`, phase: 'running', wanted: 'up', generation: 1, restarts: 0,
    since: '2026-01-01T00:00:00Z', ...more,
  };
}

export function snapshot(units: readonly UnitStatus[], more: Partial<StatusSnapshot> = {}): StatusSnapshot {
  return { schema_version: 'status.v1', captured_at: '2026-01-01T00:00:00Z', overall_health: 'healthy', units, ...more };
}

/** A supervisor that answers what it is given, at the socket of the call. */
export async function answering(call: Call, state: { units: readonly UnitStatus[]; records?: readonly JournalRecord[] }): Promise<{ readonly asked: string[]; readonly emit: (record: JournalRecord) => void }> {
  const asked: string[] = [];
  const watchers = new Set<(record: JournalRecord) => void>();
  const route: Route = async (request, exchange): Promise<Answer | null> => {
    asked.push(request.kind);
    switch (request.kind) {
      case 'status': return { kind: 'status', snapshot: snapshot(state.units) };
      case 'history': return { kind: 'history', records: (state.records ?? []).filter(({ seq }) => request.since === null || seq > request.since) };
      case 'inspect': return { kind: 'inspect', payload: { unit: state.units.find(({ name }) => name === request.unit) ?? null, samples: [] } };
      case 'watch': {
        const write = (line: Parameters<typeof encodeWatchLine>[0]): Promise<void> => exchange.write(Buffer.from(`${encodeWatchLine(line)}\n`));
        await write({ kind: 'snapshot', seq: 1, status: snapshot(state.units) });
        watchers.add((record) => void write({ kind: 'event', record }).catch(() => undefined));
        await new Promise<void>((left) => exchange.signal.addEventListener('abort', () => left(), { once: true }));
        return null;
      }
      case 'stop': return request.service === 'stubborn' ? { kind: 'error', text: 'it will not' } : { kind: 'message', text: `Service '${request.service ?? ''}' stopped` };
      default: return { kind: 'message', text: `${request.kind} done` };
    }
  };
  const server = await listen({ path: call.paths.socket, route, onProblem: () => undefined });
  onTestFinished(() => server.close(0));
  return {
    asked,
    emit: (record) => {
      for (const watcher of watchers) watcher(record);
    },
  };
}

const asset = (text: string, type: string): Asset => {
  const plain = new TextEncoder().encode(text);
  return { type, tag: '"1"', plain, gzip: plain, brotli: plain };
};

/** The application without a network, and requests to it as a browser of this page makes them. */
export function makeWeb(call: Call, { readOnly = false, mostStreams = 8, every = false, once = false, allowedHosts = [] as readonly string[] } = {}) {
  const links: string[] = [];
  const streams = openStreams(mostStreams);
  const problems: string[] = [];
  const assets = new Map([['/', asset('<!doctype html>', 'text/html')], ['/login.css', asset('body{}', 'text/css')], ['/page.js', asset('1', 'text/javascript')]]);
  const access = openAccess(token, { host: '127.0.0.1', port: 9080 }, { allowedHosts, ...(once && { onUsed: (next: string) => links.push(next) }) });
  const { app, sites } = makeApp({ supervisors: supervisorsToWatch(call, every), access, assets, streams, readOnly, compat: [], onProblem: (text) => problems.push(text) });
  onTestFinished(() => {
    streams.close();
    sites.close();
  });
  const ask = async (path: string, { headers = {}, ...init }: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> => (
    app.request(`http://${host}${path}`, { ...init, headers: { host, authorization: `Bearer ${token}`, ...headers } }));
  const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> => (
    ask(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }));
  return { app, ask, post, streams, problems, access, links };
}

/** Reads events of a stream until `fits` says that it is enough. */
export async function readEvents(response: Response, fits: (events: readonly { event: string; data: unknown }[]) => boolean): Promise<readonly { event: string; data: unknown }[]> {
  const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader();
  const events: { event: string; data: unknown }[] = [];
  let text = '';
  while (!fits(events)) {
    const { done, value } = await reader.read();
    if (done) break;
    text += new TextDecoder().decode(value);
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
      if (event !== undefined && data !== undefined) events.push({ event, data: JSON.parse(data) });
    }
  }
  await reader.cancel();
  return events;
}
