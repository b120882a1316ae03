/** What can start a supervisor when a machine boots. */
export const initSystems = ['systemd', 'openrc', 'cron', 'launchd'] as const;
export type InitSystem = (typeof initSystems)[number];
