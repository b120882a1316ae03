import type { ChildProcess } from 'node:child_process';
import type { Home } from './rig.ts';

export interface Served {
  readonly link: string;
  readonly url: string;
  readonly token: string;
  readonly server: ChildProcess;
}

/** Starts `sysg web` on a port that is free. */
export async function serveWeb(home: Home, ...args: readonly string[]): Promise<Served> {
  const server = home.open('web', '--listen', '127.0.0.1:0', ...args);
  let text = '';
  const link = await new Promise<string>((found, fail) => {
    server.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const [line] = /^http:\S+/m.exec(text) ?? [];
      if (line !== undefined && text.includes('\n')) found(line);
    });
    server.once('exit', (code) => fail(new Error(`sysg web ended with ${code}: ${text}`)));
  });
  const { origin, searchParams } = new URL(link);
  return { link, url: origin, token: searchParams.get('token') ?? '', server };
}
