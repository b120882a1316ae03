import type { CheckProbe, HealthCheck } from '../../machines/types.ts';
import type { Parsed } from '../words.ts';
import { choice, command, duration, integer, list, text, worded, type Kind } from './kind.ts';
import { below, complain, missing, warn, type Place } from './place.ts';
import { exclusive, optional, record, withDefault, type Values } from './record.ts';

const statusCode = integer(100, 599);
const statusCodes = list(statusCode, 'an HTTP status or a list of them', 1);

const expectStatus: Kind<readonly number[]> = {
  schema: { anyOf: [statusCode.schema, statusCodes.schema] },
  read(place) {
    if (place.node.kind === 'list') return statusCodes.read(place);
    const status = statusCode.read(place);
    return status === undefined ? undefined : [status];
  },
};

const pattern: Kind<string> = worded((value) => {
  try {
    new RegExp(value);
    return { ok: true, value };
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message.replace(/^Invalid regular expression: /, '') : String(error);
    return { ok: false, expected: 'a regular expression', hint: ` (${reason})` };
  }
}, { type: 'string', format: 'regex' });

/** Keys of a check in a deployment, where `{slot}` and its kin stand for what is known only then. */
const rolloutKeys = {
  url: optional(text, 'HTTP GET; passes with a 2xx status, or one of `expect_status`.'),
  command: optional(command, 'Passes with exit code 0.'),
  tcp: optional(worded(parseAddress, { type: 'string' }), '`host:port` that must accept a connection.'),
  log: optional(pattern, 'Regular expression that a line of the output must match.'),
  notify_fd: optional(integer(3, 1023), 'Descriptor to which the service writes a newline when it is ready.'),
  interval: withDefault(duration('positive'), 'Pause between attempts.', 2000),
  timeout: withDefault(duration('positive'), 'Limit of readiness as a whole, counted from the end of `start_period`.', 30_000),
  retries: withDefault(integer(0, 4_294_967_295), 'Failures in a row that make a ready service unhealthy; in a deployment, attempts.', 3),
  start_period: withDefault(duration('zero'), 'Time before the first attempt.', 0),
  expect_status: optional(expectStatus, 'HTTP status or statuses that pass; 2xx by default.'),
};

const serviceKeys = {
  ...rolloutKeys,
  on_unhealthy: withDefault(choice(['restart', 'none']), 'What an unhealthy finding does, whatever the restart policy.', 'restart'),
};

const serviceRecord = record(serviceKeys, 'health check keys');
const rolloutRecord = record(rolloutKeys, 'health check keys');

/** The `health_check` of a service. */
export const serviceCheck: Kind<HealthCheck> = {
  schema: serviceRecord.schema,
  read(place) {
    const values = serviceRecord.read(place);
    return values === undefined ? undefined : assemble(place, values, values.on_unhealthy, slotsFilledIn);
  },
};

/** A check of a deployment: it decides about a rollout, not about restarts. */
export const rolloutCheck: Kind<HealthCheck> = {
  schema: rolloutRecord.schema,
  read(place) {
    const values = rolloutRecord.read(place);
    return values === undefined ? undefined : assemble(place, values, 'none', slotsFilledIn);
  },
};

/** With something in the place of what is known only when it runs. */
function slotsFilledIn(url: string): string {
  return url.replaceAll(/\{(slot|active_slot|candidate_slot|service_name)\}/g, '1');
}

/** Whether a check speaks of slots, which only a blue-green service has. */
export function namesSlot({ probe }: HealthCheck): boolean {
  const text = probe.kind === 'url' ? probe.url : probe.kind === 'command' ? probe.command : '';
  return text.includes('{slot}');
}

const probeKeys = ['url', 'command', 'tcp', 'log', 'notify_fd'] as const;

function assemble(place: Place, values: Values<typeof rolloutKeys>, onUnhealthy: HealthCheck['onUnhealthy'], filledIn: (url: string) => string): HealthCheck | undefined {
  const url = below(place, 'url');
  if (url !== null && values.command !== null) warn(url, "'command' is used, as in systemg 0.33.0: 'url' has no effect beside it");
  exclusive(place, url !== null && values.command !== null ? probeKeys.filter((key) => key !== 'url') : probeKeys);
  const status = below(place, 'expect_status');
  if (status !== null && url === null) complain(status, "needs 'url'");
  const retries = below(place, 'retries');
  if (retries !== null && values.retries === 0) warn(retries, '0 is read as 1, as in systemg 0.33.0');
  if (url !== null && values.url !== null) checkUrl(url, filledIn(values.url), values.url);
  const probe = probeOf(values);
  if (probe === null) {
    if (!probeKeys.some((key) => below(place, key) !== null)) missing(place, "health check requires at least one of 'url' or 'command' (or 'tcp', 'log', 'notify_fd')");
    return undefined;
  }
  return {
    probe,
    intervalMs: values.interval,
    timeoutMs: values.timeout,
    retries: Math.max(1, values.retries),
    startPeriodMs: values.start_period,
    onUnhealthy,
  };
}

function probeOf(values: Values<typeof rolloutKeys>): CheckProbe | null {
  if (values.command !== null) return { kind: 'command', command: values.command };
  if (values.url !== null) return { kind: 'url', url: values.url, expectStatus: values.expect_status };
  if (values.tcp !== null) return { kind: 'tcp', ...values.tcp };
  if (values.log !== null) return { kind: 'log', pattern: values.log };
  return values.notify_fd === null ? null : { kind: 'notify', fd: values.notify_fd };
}

function checkUrl(place: Place, url: string, shown: string): void {
  const scheme = URL.canParse(url) ? new URL(url).protocol : '';
  if (scheme !== 'http:' && scheme !== 'https:') complain(place, `expected an http or https URL, got ${JSON.stringify(shown)}`);
}

function parseAddress(value: string): Parsed<{ readonly host: string; readonly port: number }> {
  const match = /^(?:\[([\da-fA-F:.%\w]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(value.trim());
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host !== undefined && port >= 1 && port <= 65_535) return { ok: true, value: { host, port } };
  return { ok: false, expected: 'an address such as 127.0.0.1:8080, localhost:8080 or [::1]:8080' };
}
