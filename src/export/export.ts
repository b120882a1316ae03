import { shownConfigPath } from '../config-path.ts';
import type { ExportKind } from '../engines.ts';
import { refuse, type Refused } from '../errors.ts';
import { isSecretName, type Mask } from '../secrets.ts';
import { shellWord } from '../words.ts';
import { exportCompose } from './compose.ts';
import { argvOf, refuseAlike, type ExportContext, type ExportedFile } from './context.ts';
import { exportKubernetes } from './kubernetes.ts';
import { openLosses, type Loss } from './losses.ts';
import { exportNomad } from './nomad.ts';
import { exportSystemd } from './systemd.ts';
import { openWrittenKeys } from './written-keys.ts';

export interface ExportRequest extends Pick<ExportContext, 'services' | 'profiles' | 'projectDir' | 'target' | 'searchPath'> {
  /** Of the configuration. */
  readonly path: string;
  /** The files that it includes. */
  readonly included: readonly string[];
  readonly engine: ExportKind;
  /** By service; `*` is for all others. */
  readonly images: ReadonlyMap<string, string>;
  readonly mask: Mask;
}

export interface Exported {
  readonly ok: true;
  readonly files: readonly ExportedFile[];
  readonly losses: readonly Loss[];
}

const engines: Readonly<Record<ExportKind, (context: ExportContext) => readonly ExportedFile[] | Refused>> = {
  systemd: exportSystemd,
  compose: exportCompose,
  kubernetes: exportKubernetes,
  nomad: exportNomad,
};

/** Names of variables that an engine does not take as they are, and what becomes of those; docker takes every name. */
const strangeNames: Readonly<Partial<Record<ExportKind, readonly [pattern: RegExp, fate: 'lost' | 'changed', text: string]>>> = {
  systemd: [/^(?![A-Za-z_]\w*$)/, 'lost', 'systemd takes names of letters, digits and _ alone, and passes over'],
  kubernetes: [/^(?![A-Za-z_.-][\w.-]*$)/, 'changed', 'a cluster before version 1.32 refuses the name of'],
  nomad: [/^(?![A-Za-z_.][\w.]*$)/, 'changed', 'nomad puts _ in the place of other signs in'],
};

/** Makes the files of another engine, and says what they do not say. Writes nothing. */
export function exportServices({ path, included, projectDir, target, services, profiles, engine, images, searchPath, mask }: ExportRequest): Exported | Refused {
  const names = services.map(({ name }) => name);
  const strange = [...images.keys()].filter((name) => name !== '*' && !names.includes(name));
  if (strange.length > 0) return refuse(`--image: there is no service ${strange.join(', ')} in ${shownConfigPath(path)}; it has ${names.join(', ')}`);
  const imageOf = (name: string): string | null => images.get(name) ?? images.get('*') ?? null;
  const bare = engine === 'compose' || engine === 'kubernetes' ? names.filter((name) => imageOf(name) === null) : [];
  if (bare.length > 0)
    return refuse(
      `${engine} runs images, and none is named for ${bare.join(', ')}: ${bare.map((name) => `--image ${shellWord(`${name}=IMAGE`)}`).join(' ')}, or --image '*=IMAGE' for all`,
    );
  const keys = openWrittenKeys(path, included);
  const losses = openLosses(keys);
  const isSecret = (name: string, value: string): boolean => value !== '' && (isSecretName(name) || mask(value) !== value);
  const files = engines[engine]({ services, profiles, projectDir, target, keys, losses, imageOf, searchPath, isSecret });
  if ('ok' in files) return files;
  for (const spec of services) {
    const shown = [...new Set(mask(argvOf(spec).join(' ')).match(/\$\{\w+\}/g))].filter((reference) => !argvOf(spec).some((word) => word.includes(reference)));
    const [isStrange, fate = 'lost', text = ''] = strangeNames[engine] ?? [];
    const strangers = Object.keys(spec.env).filter((name) => isStrange?.test(name) === true);
    if (strangers.length > 0) losses[fate](spec.name, 'env', `${text} ${strangers.join(', ')}`);
    for (const key of ['command', 'exec'])
      if (shown.length > 0) losses.changed(spec.name, key, `the value of ${shown.join(', ')} stands in the result: take it from a variable under env`);
  }
  return refuseAlike(files.map(({ name }) => name)) ?? { ok: true, files, losses: losses.all() };
}
