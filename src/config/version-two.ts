import { noProjects, versionTwoNote } from '../engines.ts';
import { formatSize } from '../words.ts';
import type { SourceEntry, SourceNode, SourceScalar } from './document.ts';
import { below, complainKey, entries, inside, valueAt, warn, type Place } from './place.ts';
import { serviceKeys } from './service.ts';

/** A file of systemg of version 2 as one of version 1. What has no match is named and left out, since such a file was not written for this program. */
export function asVersionOne(root: Place): Place {
  const { node } = root;
  const version = below(root, 'version');
  if (node.kind !== 'map' || version?.node.kind !== 'scalar' || version.node.text !== '2') return root;
  warn(version, versionTwoNote);
  for (const [key, place] of entries(root)) {
    if (key === 'projects') complainKey(place, noProjects);
    if (key === 'status' || (key === 'project' && place.node.kind === 'map')) warn(place, 'has no effect: sysg has no such key');
  }
  const kept = node.entries.filter(
    ({ key, value }) => !['projects', 'services', 'logs', 'status', 'defaults'].includes(key) && !(key === 'project' && value.kind === 'map'),
  );
  return { ...root, node: { ...node, entries: [...kept, ...defaultsOf(root), ...servicesOf(root)] } };
}

function servicesOf(root: Place): readonly SourceEntry[] {
  const services = below(root, 'services');
  if (services === null) {
    // What is refused for its projects is not refused again for having no services.
    const { offset } = root.node;
    return below(root, 'projects') === null ? [] : [{ key: 'services', keyOffset: offset, value: { kind: 'map', offset, entries: [] } }];
  }
  const { node, keyOffset } = services;
  const all = entries(services).map(([key, place]): SourceEntry => ({ key, keyOffset: place.keyOffset, value: serviceOf(place) }));
  return [{ key: 'services', keyOffset, value: node.kind === 'map' ? { ...node, entries: all } : node }];
}

function serviceOf(place: Place): SourceNode {
  const { node } = place;
  if (node.kind !== 'map') return node;
  return {
    ...node,
    entries: node.entries.flatMap((entry): SourceEntry[] => {
      if (!Object.hasOwn(serviceKeys, entry.key)) {
        warn(inside(place, entry), 'has no effect: sysg has no such key');
        return [];
      }
      return [entry.key === 'logs' ? { ...entry, value: logsOf(inside(place, entry)) } : entry];
    }),
  };
}

/** What `logs` at the top says holds for every service. */
function defaultsOf(root: Place): readonly SourceEntry[] {
  const [logs, defaults] = [below(root, 'logs'), below(root, 'defaults')];
  const at = defaults ?? logs;
  if (at === null) return [];
  const written = defaults?.node.kind === 'map' ? defaults.node.entries : [];
  const added = logs === null || written.some(({ key }) => key === 'logs') ? [] : [{ key: 'logs', keyOffset: logs.keyOffset, value: logsOf(logs) }];
  return [{ key: 'defaults', keyOffset: at.keyOffset, value: { kind: 'map', offset: at.node.offset, entries: [...written, ...added] } }];
}

/** `{sink, max_bytes, max_files}` in our words. */
function logsOf(place: Place): SourceNode {
  const { node } = place;
  if (node.kind !== 'map' || !node.entries.some(({ key }) => ['sink', 'max_bytes', 'max_files'].includes(key))) return node;
  const found = (key: string, make: (from: SourceScalar) => string | number | boolean | null): SourceScalar | null => {
    const from = valueAt(node, key);
    if (from?.kind !== 'scalar') return null;
    const value = make(from);
    return { ...from, value, text: value === from.value ? from.text : String(value) };
  };
  const entry = (key: string, value: SourceNode | null): readonly SourceEntry[] => (value === null ? [] : [{ key, keyOffset: value.offset, value }]);
  const size = found('max_bytes', ({ value }) => (typeof value === 'number' ? formatSize(value) : value));
  const rotation = [...entry('size', size), ...entry('keep', found('max_files', ({ value }) => value))];
  const rotate: SourceNode | null = rotation.length === 0 ? null : { kind: 'map', offset: node.offset, entries: rotation };
  const logger = found('sink', ({ text }) => (text === 'none' ? 'cat > /dev/null' : null));
  return { ...node, entries: [...entry('rotate', rotate), ...entry('logger', logger?.value == null ? null : logger)] };
}
