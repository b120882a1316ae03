import type { Request, Response, WatchLine } from './protocol.ts';

/** The line of a request, without its newline: every field, `null` for none, in 0.33.0's order. */
export function encodeRequest(request: Request): string {
  return JSON.stringify(wireRequest(request));
}

/** The line of an answer, without its newline. Fractions are written as 0.33.0's 32-bit floats are. */
export function encodeResponse(response: Response): string {
  return withFloats(JSON.stringify(wireResponse(response)));
}

/** The line of a `watch` stream, without its newline. */
export function encodeWatchLine(line: WatchLine): string {
  switch (line.kind) {
    case 'snapshot': return withFloats(JSON.stringify({ Snapshot: { seq: line.seq, status: line.status } }));
    case 'event': return JSON.stringify({ Event: line.record });
    case 'gap': return JSON.stringify({ Gap: { from: line.from, to: line.to } });
  }
}

function wireRequest(request: Request): unknown {
  switch (request.kind) {
    case 'start': return { Start: { service: request.service } };
    case 'stop': return { Stop: { service: request.service } };
    case 'restart': {
      const { config, service, wait } = request;
      // An old server ignores the key; the default stays unwritten so that the line is 0.33.0's.
      return { Restart: wait ? { config, service } : { config, service, wait } };
    }
    case 'shutdown': return 'Shutdown';
    case 'handover': return 'Handover';
    case 'status': return 'Status';
    case 'inspect': return { Inspect: { unit: request.unit, samples: request.samples } };
    case 'logs': return { Logs: { service: request.service, lines: request.lines, kind: request.logKind, follow: request.follow } };
    case 'spawn': {
      const { parentPid, name, command, ttl, logLevel } = request;
      return { Spawn: { parent_pid: parentPid, name, command, ttl, log_level: logLevel } };
    }
    case 'history': return { History: { unit: request.unit, limit: request.limit, since: request.since } };
    case 'watch': return { Watch: { since: request.since, units: request.units } };
    case 'reload': return { Reload: { config: request.config } };
    case 'plan': return { Plan: { config: request.config } };
    case 'signal': return { Signal: { unit: request.unit, signal: request.signal } };
  }
}

function wireResponse(response: Response): unknown {
  switch (response.kind) {
    case 'ok': return 'Ok';
    case 'message': return { Message: response.text };
    case 'error': return { Error: response.text };
    case 'status': return { Status: response.snapshot };
    case 'inspect': return { Inspect: response.payload };
    case 'spawned': return { Spawned: { pid: response.pid } };
    case 'history': return { History: response.records };
    case 'plan': return { Plan: response.plan };
  }
}

/** Inside a string the quotes of this pattern would be escaped, so it finds keys only. */
const FLOAT_KEY = /("(?:latest_|average_|max_)?cpu_percent":)(-?[0-9][0-9.eE+-]*)/g;

function withFloats(json: string): string {
  return json.replace(FLOAT_KEY, (_match, key: string, digits: string) => key + floatText(Number(digits)));
}

/** The shortest text that reads back as the same 32-bit float, with `.0` after whole numbers. */
function floatText(value: number): string {
  const rounded = Math.fround(value);
  let shortest = rounded;
  for (let digits = 6; digits <= 9; digits += 1) {
    shortest = Number(rounded.toPrecision(digits));
    if (Math.fround(shortest) === rounded) break;
  }
  return Number.isInteger(shortest) && Math.abs(shortest) < 1e16 ? `${shortest}.0` : String(shortest);
}
