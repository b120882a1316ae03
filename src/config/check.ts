import type { CheckProbe, HealthCheck } from '../../machines/types.ts';
import { parsePattern, type Parsed } from '../words.ts';
import { choice, command, duration, either, integer, list, meaning, scalarSchema, verbatim, worded, type Kind } from './kind.ts';
import { below, complain, missing, warn, type Place } from './place.ts';
import { exclusive, optional, record, withDefault, type Values } from './record.ts';

const statusCode = integer(100, 599);
const statusCodes = list(statusCode, 'an HTTP status or a list of them', 1);

const expectStatus = either(meaning(statusCode, (status): readonly number[] => [status]), statusCodes, ({ node }) => node.kind === 'list');

const pattern: Kind<string> = worded((value) => {
  const parsed = parsePattern(value);
  return parsed.ok ? { ok: true, value } : parsed;
}, { type: 'string', format: 'regex' });

const webAddress = verbatim(isWebAddress, 'an http or https URL', scalarSchema);
const retries = meaning(integer(0, 4_294_967_295), (written, place) => {
  if (written === 0) warn(place, '0 is read as 1, as in systemg 0.33.0');
  return Math.max(1, written);
});

const probeKeys = {
  url: optional(webAddress, 'HTTP GET; passes with a 2xx status, or one of `expect_status`.'),
  command: optional(meaning(command, (line): CheckProbe => ({ kind: 'command', command: line })), 'Passes with exit code 0.'),
  tcp: optional(meaning(worded(parseAddress, { type: 'string' }), (address): CheckProbe => ({ kind: 'tcp', ...address })), '`host:port` that must accept a connection.'),
  log: optional(meaning(pattern, (regex): CheckProbe => ({ kind: 'log', pattern: regex })), 'Regular expression that a line of the output must match.'),
  notify_fd: optional(meaning(integer(3, 1023), (fd): CheckProbe => ({ kind: 'notify', fd })), 'Descriptor to which the service writes a newline when it is ready.'),
};

const checkKeys = {
  ...probeKeys,
  interval: withDefault(duration('positive'), 'Pause between attempts.', 2000),
  timeout: withDefault(duration('positive'), 'Limit of readiness as a whole, counted from the end of `start_period`.', 30_000),
  attempt_timeout: optional(duration('positive'), 'How long one attempt may take; by default what is left of `timeout` until the service is ready, and `timeout` from then on.'),
  retries: withDefault(retries, 'Failures in a row that make a ready service unhealthy; in a deployment, attempts.', 3),
  start_period: withDefault(duration('zero'), 'Time before the first attempt.', 0),
  expect_status: optional(expectStatus, 'HTTP status or statuses that pass; 2xx by default.'),
};

const serviceKeys = {
  ...checkKeys,
  on_unhealthy: withDefault(choice(['restart', 'none']), 'What an unhealthy finding does, whatever the restart policy.', 'restart'),
};

/** The `health_check` of a service. */
export const serviceCheck = meaning(record(serviceKeys, 'health check keys'), (values, place) => checkOf(values, place, values.on_unhealthy));

/** A check of a deployment, which decides about a rollout and not about restarts. */
export const rolloutCheck = meaning(record(checkKeys, 'health check keys'), (values, place) => checkOf(values, place, 'none'));

/** Whether a check speaks of slots, which only a blue-green service has. */
export function namesSlot({ probe }: HealthCheck): boolean {
  const text = probe.kind === 'url' ? probe.url : probe.kind === 'command' ? probe.command : '';
  return text.includes('{slot}');
}

function checkOf(values: Values<typeof checkKeys>, place: Place, onUnhealthy: HealthCheck['onUnhealthy']): HealthCheck | undefined {
  const url = below(place, 'url');
  const outdone = url !== null && values.command !== null;
  if (outdone) warn(url, "'command' is used, as in systemg 0.33.0: 'url' has no effect beside it");
  const names = Object.keys(probeKeys);
  exclusive(place, outdone ? names.filter((key) => key !== 'url') : names);
  if (url === null) complain(below(place, 'expect_status'), "needs 'url'");
  if (names.every((key) => below(place, key) === null)) missing(place, "health check requires at least one of 'url' or 'command' (or 'tcp', 'log', 'notify_fd')");
  const request: CheckProbe | null = values.url === null ? null : { kind: 'url', url: values.url, expectStatus: values.expect_status };
  const probe = values.command ?? request ?? values.tcp ?? values.log ?? values.notify_fd;
  if (probe === null) return undefined;
  const { interval: intervalMs, timeout: timeoutMs, attempt_timeout: attemptTimeoutMs, retries: attempts, start_period: startPeriodMs } = values;
  return { probe, intervalMs, timeoutMs, attemptTimeoutMs, retries: attempts, startPeriodMs, onUnhealthy };
}

/** `{slot}` and its kin stand for what is known only when the check runs. */
function isWebAddress(url: string): boolean {
  const filledIn = url.replaceAll(/\{(slot|active_slot|candidate_slot|service_name)\}/g, '1');
  return URL.canParse(filledIn) && ['http:', 'https:'].includes(new URL(filledIn).protocol);
}

function parseAddress(value: string): Parsed<{ readonly host: string; readonly port: number }> {
  const match = /^(?:\[([\da-fA-F:.%\w]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(value.trim());
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host !== undefined && port >= 1 && port <= 65_535) return { ok: true, value: { host, port } };
  return { ok: false, expected: 'an address such as 127.0.0.1:8080, localhost:8080 or [::1]:8080' };
}
