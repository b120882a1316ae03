import { nameOfAll } from './remarks.ts';

const container = 'it is about the container, and there is none';
const network = 'services use the network of this machine, and reach each other on localhost';

/** Why a key of a service has no match. */
export const serviceReasons: Readonly<Record<string, string>> = {
  ...of('sysg pulls and runs no images: the program has to be on this machine', ['image', 'build', 'pull_policy', 'platform', 'runtime']),
  ...of('the program opens its ports itself', ['ports', 'expose']),
  ...of(network, [
    'networks',
    'network_mode',
    'links',
    'external_links',
    'extra_hosts',
    'dns',
    'dns_search',
    'dns_opt',
    'hostname',
    'domainname',
    'mac_address',
  ]),
  ...of('the program sees the files of this machine', [
    'volumes',
    'volumes_from',
    'configs',
    'secrets',
    'storage_opt',
    'shm_size',
    'devices',
    'device_cgroup_rules',
    'gpus',
  ]),
  ...of(container, [
    'container_name',
    'init',
    'tty',
    'stdin_open',
    'privileged',
    'userns_mode',
    'uts',
    'ipc',
    'pid',
    'cgroup',
    'cgroup_parent',
    'sysctls',
    'isolation',
    'oom_kill_disable',
    'oom_score_adj',
    'annotations',
    'label_file',
    'attach',
    'use_api_socket',
    'provider',
    'models',
    'credential_spec',
  ]),
  tmpfs: 'the program sees the files of this machine; sandbox: {private_tmp: true} gives it a /tmp of its own, as root',
  read_only: 'the program sees the files of this machine; sandbox: {read_only_root: true} keeps it from writing them, as root',
  security_opt: 'it is about the container; sandbox: {no_new_privs: true} is no-new-privileges here',
  labels: 'services have no labels',
  scale: 'sysg runs one process of a service',
  develop: 'sysg does not watch files',
  ...of('limits.cgroup has the kernel keep such a limit, as root with cgroup v2', [
    'mem_limit',
    'mem_reservation',
    'memswap_limit',
    'mem_swappiness',
    'cpus',
    'cpu_count',
    'cpu_percent',
    'cpu_shares',
    'cpu_quota',
    'cpu_period',
    'cpu_rt_runtime',
    'cpu_rt_period',
    'pids_limit',
    'blkio_config',
  ]),
  pre_stop: 'hooks of a stop run after it',
};

/** Why a key of the file has no match. */
export const topReasons: Readonly<Record<string, string>> = {
  name: nameOfAll,
  volumes: 'the program sees the files of this machine',
  networks: network,
  configs: 'the program sees the files of this machine',
  secrets: 'the program sees the files of this machine',
  models: 'sysg runs no models',
};

function of(reason: string, keys: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(keys.map((key) => [key, reason]));
}
