import type { HealthCheck, ServiceSpec } from '../../machines/types.ts';
import { wholeSeconds, type ExportContext } from './context.ts';

/** A check as probes: one until the container is there, one for being asked, one for being alive. */
export function probes({ name, check }: ServiceSpec, { losses }: ExportContext): object {
  const action = check === null ? null : actionOf(check);
  if (check === null || action === null) return {};
  const periodSeconds = wholeSeconds(check.intervalMs);
  if (periodSeconds * 1000 !== check.intervalMs) losses.changed(name, 'health_check.interval', `probes have whole seconds: ${periodSeconds} s`);
  const probe = {
    ...action, periodSeconds, timeoutSeconds: wholeSeconds(check.attemptTimeoutMs ?? Math.min(check.timeoutMs, check.intervalMs)), failureThreshold: check.retries,
  };
  return {
    startupProbe: {
      ...probe, failureThreshold: Math.max(1, Math.ceil(check.timeoutMs / (periodSeconds * 1000))),
      initialDelaySeconds: check.startPeriodMs === 0 ? undefined : wholeSeconds(check.startPeriodMs),
    },
    readinessProbe: probe,
    livenessProbe: check.onUnhealthy === 'restart' ? probe : undefined,
  };
}

/** A probe is made from outside, to the address of the pod: a service that listens on localhost alone is not reached. */
function actionOf({ probe }: HealthCheck): object | null {
  if (probe.kind === 'command') return { exec: { command: ['/bin/sh', '-c', probe.command] } };
  if (probe.kind === 'tcp') return { tcpSocket: { port: probe.port, host: isHere(probe.host) ? undefined : probe.host } };
  if (probe.kind !== 'url') return null;
  const url = new URL(probe.url);
  return {
    httpGet: {
      path: `${url.pathname}${url.search}`,
      port: portIn(url),
      host: isHere(url.hostname) ? undefined : url.hostname,
      scheme: url.protocol === 'https:' ? 'HTTPS' : undefined,
    },
  };
}

function isHere(host: string): boolean {
  return ['localhost', '127.0.0.1', '::1', '[::1]', '0.0.0.0'].includes(host);
}

/** The port that a check names, where it names one of this service. */
export function portOf(check: HealthCheck | null): number | null {
  if (check?.probe.kind === 'tcp') return check.probe.port;
  return check?.probe.kind === 'url' ? portIn(new URL(check.probe.url)) : null;
}

function portIn({ port, protocol }: URL): number {
  return Number(port) || (protocol === 'https:' ? 443 : 80);
}
