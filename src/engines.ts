/** What `import` reads. */
export const importKinds = ['pm2', 'procfile', 'supervisord', 'compose', 'systemg'] as const;
export type ImportKind = (typeof importKinds)[number];

/** What `export` writes for. */
export const exportKinds = ['systemd', 'compose', 'kubernetes', 'nomad'] as const;
export type ExportKind = (typeof exportKinds)[number];

/** Of a file of systemg that `start` reads without `import`. */
export const versionTwoNote = 'version 2 of systemg: its projects are read as services of this one supervisor; "sysg import" makes a file of version 1 of it';
