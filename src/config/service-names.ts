import { complainAt, quote } from './finding.ts';
import { complainExpected, inside, warn, type Place } from './place.ts';

/** Log files are called `<name>_stdout.log`, and a file name has at most 255 bytes. */
const maxNameBytes = 200;

/** The services of the file by name, those with a name that cannot be a file name left out. */
export function servicePlaces(services: Place): ReadonlyMap<string, Place> {
  const found = new Map<string, Place>();
  if (services.node.kind !== 'map') {
    complainExpected(services, 'a map of services by name');
    return found;
  }
  for (const entry of services.node.entries) {
    const place = inside(services, entry);
    const wrong = wrongName(entry.key);
    if (wrong !== null) complainAt(place.findings, entry.keyOffset, place.path, `${wrong}, got ${quote(entry.key)}`);
    else found.set(entry.key, place);
    if (wrong === null && !/^[A-Za-z0-9_.-]+$/.test(entry.key)) warn(place, `the name ${quote(entry.key)} needs quoting in a shell; letters, digits, '_', '.' and '-' do not`);
  }
  return found;
}

function wrongName(name: string): string | null {
  if (name === '') return 'expected a name that is not empty';
  if (name === '.' || name === '..') return "expected a name other than '.' and '..'";
  if (/\/|\p{Cc}/u.test(name)) return "expected a name without '/' and control characters";
  return Buffer.byteLength(name) > maxNameBytes ? `expected a name of at most ${maxNameBytes} bytes` : null;
}
