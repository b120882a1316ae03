/** What `import` reads. */
export const importKinds = ['pm2', 'procfile', 'supervisord', 'compose', 'systemg'] as const;
export type ImportKind = (typeof importKinds)[number];
