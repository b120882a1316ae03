import { basename, extname } from 'node:path';
import type { ImportKind } from '../engines.ts';
import { readYaml, type Sourced } from '../yaml-text.ts';

const composeKeys = new Set(`image build environment env_file ports expose volumes restart healthcheck entrypoint networks deploy container_name extends profiles
  stop_grace_period links logging`.split(/\s+/));
const systemgKeys = new Set('restart_policy backoff max_restarts env hooks cron deployment skip spawn health_check stop_timeout exec oneshot'.split(' '));

/** What a file is, by what is in it; its name counts where that says nothing. Null: it could be anything. */
export function importKindOf(path: string, text: string): ImportKind | null {
  const [name, extension] = [basename(path).toLowerCase(), extname(path).toLowerCase()];
  if (/^\.[cm]?js$/.test(extension)) return 'pm2';
  if (/^\s*\[(program:|supervisord|group:|include|eventlistener:|fcgi-program:|unix_http_server)/m.test(text)) return 'supervisord';
  const yaml = readYaml(text, path);
  const root = yaml.ok ? yaml.root : null;
  if (root !== null && (root.items !== null || root.entries?.has('apps') === true || root.entries?.has('script') === true)) return isApps(root) ? 'pm2' : null;
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  const processes = lines.filter((line) => /^[A-Za-z0-9_-]+:\s*\S/.test(line)).length;
  if (/^procfile(\.|$)|\.procfile$/.test(name)) return 'procfile';
  // Its importer says why it is refused.
  if (root?.entries?.has('projects') === true && String(root.entries.get('version')?.value) === '2') return 'systemg';
  if (root?.entries?.has('services') === true) return services(root, name);
  if ([...(root?.entries?.get('processes')?.entries?.values() ?? [])].some(({ entries }) => entries?.has('command') === true || entries?.has('entrypoint') === true)) return 'process-compose';
  if (extension === '.json' && /["']?apps["']?\s*:/.test(text)) return 'pm2';
  if (/^\.(?:ya?ml|json)$/.test(extension)) return null;
  const isFlat = root === null || root.entries === null || [...root.entries.values()].every(({ value }) => typeof value === 'string');
  return lines.length > 0 && processes === lines.length && isFlat ? 'procfile' : null;
}

function isApps(root: Sourced): boolean {
  const apps = root.items ?? root.entries?.get('apps')?.items ?? [root.entries?.get('apps') ?? root];
  return apps.some(({ entries }) => entries?.has('script') === true || entries?.has('exec') === true);
}

function services(root: Sourced, name: string): ImportKind {
  const keys = [...(root.entries?.get('services')?.entries?.values() ?? [])].flatMap(({ entries }) => [...(entries?.keys() ?? [])]);
  const count = (known: ReadonlySet<string>, ...top: readonly string[]): number => (
    keys.filter((key) => known.has(key)).length + top.filter((key) => root.entries?.has(key)).length
  );
  const compose = count(composeKeys, 'volumes', 'networks', 'configs', 'secrets', 'name');
  const systemg = count(systemgKeys, 'env', 'metrics', 'logs', 'project', 'status', 'defaults');
  if (compose !== systemg) return compose > systemg ? 'compose' : 'systemg';
  const version = root.entries?.get('version')?.value;
  return name.includes('compose') || version === undefined || /^[23]\.\d|^3/.test(String(version)) ? 'compose' : 'systemg';
}
