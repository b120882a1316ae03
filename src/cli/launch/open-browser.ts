import { spawn } from 'node:child_process';

/** Shows an address in the browser of the desktop, where there is one. `onProblem` is called when there is none. */
export function openBrowser(url: string, onProblem: (text: string) => void): void {
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const child = spawn(program, [url], { stdio: 'ignore', detached: true });
  child.once('error', () => onProblem(`no browser could be opened: ${program} is not there`));
  child.once('exit', (code) => {
    if (code !== 0) onProblem(`no browser could be opened: ${program} ended with code ${code}`);
  });
  child.unref();
}
