/** What `import` reads. */
export const importKinds = ['pm2', 'procfile', 'supervisord', 'compose', 'process-compose', 'systemg'] as const;
export type ImportKind = (typeof importKinds)[number];

/** Names under which such files usually lie in the directory of a project. */
export const importableNames = [
  'compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml', 'process-compose.yaml', 'process-compose.yml', 'ecosystem.config.js', 'ecosystem.config.cjs', 'ecosystem.json', 'Procfile', 'supervisord.conf',
] as const;

/** What `export` writes for. */
export const exportKinds = ['systemd', 'compose', 'kubernetes', 'nomad'] as const;
export type ExportKind = (typeof exportKinds)[number];

/** Of a file of systemg that `start` reads without `import`. */
export const versionTwoNote = 'version 2 of systemg: its services are read as they are; "sysg import" makes a file of version 1 of it';

/** Why a file of version 2 with that key is refused. */
export const noProjects =
  "'projects' of systemg's version 2 is not read: expected 'services' at the top. Read are version, services (with max_restarts), " +
  'logs (sink, max_bytes, max_files), status and project';
