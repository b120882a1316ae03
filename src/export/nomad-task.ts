import { basename } from 'node:path';
import type { ServiceSpec } from '../../machines/types.ts';
import { argvOf, bareCapability, boundsOf, checkCommand, orNothing, ulimitsOf, type ExportContext } from './context.ts';
import { slug } from './kubernetes.ts';

/** The tasks of a job: the service itself, and what runs before and after it. */

export function jobId({ name }: ServiceSpec, { projectDir }: ExportContext): string {
  return `${slug(basename(projectDir))}-${slug(name)}`;
}

export function task(spec: ServiceSpec, context: ExportContext, name: string, argv: readonly string[]): object {
  const { losses, imageOf, keys } = context;
  const image = imageOf(spec.name);
  const [command = '', ...args] = argv.map(literal);
  const { privileges: { user, capabilities } } = spec;
  if (keys.envFiles(spec.name).length > 0) losses.changed(spec.name, 'env.file', 'its values stand in the job as they are now, but for those that are secret');
  const variables = Object.entries(spec.env);
  const secrets = variables.filter(([key, value]) => context.isSecret(key, value)).map(([key]) => key);
  const place = `nomad/jobs/${jobId(spec, context)}`;
  const shown = variables.filter(([key]) => !secrets.includes(key));
  if (secrets.length > 0) losses.changed(spec.name, 'env', `secret values are read from the variables of the job: nomad var put ${place} ${secrets.map((key) => `${key}=…`).join(' ')}`);
  if (image === null) {
    for (const key of ['capabilities', 'limits.nofile', 'limits.nproc', 'limits.memlock', 'isolation'])
      losses.lost(spec.name, key, 'raw_exec sets nothing of it; with --image it runs in a container');
  } else losses.changed(spec.name, 'working_dir', 'it is a path of the image there');
  const ulimits = ulimitsOf(spec, String);
  const { memoryBytes } = boundsOf(spec);
  return {
    Name: name,
    Driver: image === null ? 'raw_exec' : 'docker',
    User: user ?? undefined,
    Env: Object.fromEntries(shown.filter(([, value]) => !REFERENCE.test(value))),
    Templates: orNothing([
      ...envTemplate('env', secrets.map((key) => `${key}={{ .${key} | toJSON }}\n`), (lines) => `{{ with nomadVar "${place}" }}${lines}{{ end }}`),
      ...envTemplate('literals', shown.filter(([, value]) => REFERENCE.test(value)).map(([key, value]) => `${key}={{ ${JSON.stringify(value)} | toJSON }}\n`)),
    ]),
    Config: image === null ? { command, args, work_dir: literal(spec.workingDir) } : {
      image: literal(image),
      command,
      args,
      work_dir: keys.has(spec.name, ['working_dir']) ? literal(spec.workingDir) : undefined,
      cap_drop: capabilities.length === 0 ? undefined : ['all'],
      cap_add: orNothing(capabilities.map((one) => bareCapability(one).toLowerCase())),
      ulimit: ulimits && [ulimits],
    },
    Resources: memoryBytes === null ? undefined : { MemoryMB: Math.max(10, Math.ceil(memoryBytes / 1024 ** 2)) },
    LogConfig: logConfig(spec, context),
  };
}

/** Variables that a task gets from a file that Nomad writes: nothing is replaced in their values. */
function envTemplate(name: string, lines: readonly string[], within = (text: string): string => text): readonly object[] {
  return lines.length === 0 ? [] : [{ DestPath: `\${NOMAD_SECRETS_DIR}/${name}`, Envvars: true, EmbeddedTmpl: within(lines.join('')) }];
}

/** Of the job only where the file has the key. */
export function logConfig({ name, logs: { rotate } }: ServiceSpec, { keys }: ExportContext): { readonly MaxFiles: number; readonly MaxFileSizeMB: number } | undefined {
  if (!keys.has(name, ['logs', 'rotate'])) return undefined;
  return { MaxFiles: rotate.keep + 1, MaxFileSizeMB: Math.max(1, Math.round(rotate.sizeBytes / 1024 ** 2)) };
}

/** What has to be done first: one-shots that are waited for, then `pre_start`. */
export function before(spec: ServiceSpec, context: ExportContext): readonly object[] {
  const first = (of: ServiceSpec, name: string, argv: readonly string[]): object => beside(task(of, context, name, argv), 'prestart');
  const needed = spec.dependsOn.flatMap(({ service, condition }) => {
    const other = context.services.find((one) => one.name === service);
    if (other?.restart.oneshot === true && condition === 'completed') {
      context.losses.changed(spec.name, 'depends_on', `${service} is run before each start of this one, beside being a job of its own`);
      return [first(other, slug(service), argvOf(other))];
    }
    const check = condition === 'healthy' ? (other?.check ?? null) : null;
    const command = check === null ? null : checkCommand(check);
    if (other !== undefined && check !== null && command !== null) {
      context.losses.changed(spec.name, 'depends_on', `a task makes the check of ${service} until it passes; nothing restarts with ${service}`);
      return [first(other, `wait-for-${slug(service)}`, ['/bin/sh', '-c', `until ( ${command}\n); do sleep ${check.intervalMs / 1000}; done`])];
    }
    context.losses.lost(spec.name, 'depends_on', `nothing waits for ${service}, which is another job`);
    return [];
  });
  return spec.preStart === null ? needed : [...needed, first(spec, 'pre-start', ['/bin/sh', '-c', spec.preStart])];
}

export function after(spec: ServiceSpec, context: ExportContext): readonly object[] {
  return spec.hooks.flatMap(({ stage, outcome, command }) => {
    if (stage === 'on_restart' || outcome === 'error') return [];
    context.losses.changed(spec.name, `hooks.${stage}.${outcome}`, 'a task of the group runs it, without the variables of sysg');
    const isStart = stage === 'on_start';
    return [beside(task(spec, context, isStart ? 'after-start' : 'after-stop', ['/bin/sh', '-c', command]), isStart ? 'poststart' : 'poststop')];
  });
}

function beside(made: object, hook: 'prestart' | 'poststart' | 'poststop'): object {
  return { ...made, Lifecycle: { Hook: hook, Sidecar: false } };
}

/** In the configuration of a driver, which is a template of HCL. */
function literal(text: string): string {
  return text.replaceAll(/[$%](?=\{)/g, (sign) => `${sign}${sign}`);
}

/** What Nomad replaces in a variable, where it knows the name: of that there is no escape. */
const REFERENCE = /\$\{[\w.-]+\}/;
