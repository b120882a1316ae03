import { boxBanner } from '../../logs/labels.ts';
import { openTamer } from '../../logs/taming.ts';
import { follow, readLog } from '../../logs/tail.ts';
import { counted } from '../../words.ts';
import displayWidth from '../../width.ts';
import type { Speaker } from '../terminal.ts';
import { gather, type Gathering } from './gather.ts';
import { formatter, type LineLook } from './lines.ts';
import type { Source } from './sources.ts';

export interface Wish extends Pick<Gathering, 'lines' | 'filter'>, LineLook {
  /** Also shows what is written from now on. */
  readonly follow: boolean;
  /** As in `gather`; null: these logs are all. */
  readonly onFollowing: Gathering['onFollowing'] | null;
  /** Called when what was there was nothing that fits. */
  onSilence(): void;
}

/** Shows one log as it is, or the lines of several logs, or the lines that fit. Resolves when everything is shown; never while it follows. */
export async function show(sources: readonly Source[], wish: Wish, terminal: Speaker): Promise<void> {
  const [source] = sources;
  if (source === undefined) return;
  const { sinceMs, untilMs, pattern } = wish.filter;
  const isFiltered = sinceMs !== null || untilMs !== null || pattern !== null;
  const isOneUnit = new Set(sources.map(({ unit }) => unit)).size === 1;
  if (isOneUnit && !wish.json && terminal.columns !== null) await terminal.write(boxBanner(source.title, Math.min(terminal.columns, 100), displayWidth));
  const mayBecomeMore = wish.follow && wish.onFollowing !== null;
  if (sources.length === 1 && !mayBecomeMore && !wish.json && !isFiltered && !wish.timestamps) return showText(source, wish, terminal);
  const format = formatter(sources, wish);
  const { onFollowing, ...rest } = wish;
  await gather(sources, {
    ...rest, ...(onFollowing !== null && { onFollowing }), follow: wish.follow ? new AbortController().signal : null, showsUnfinished: !wish.json,
    onBegun: (count) => {
      if (count === 0) wish.onSilence();
    },
    onUndated: ({ unit, stream }, count) =>
      terminal.warn(`${counted(count, 'line')} of ${unit ?? 'the supervisor'} (${stream}) may be of another time: when they were written is not known`),
  }, (lines) => terminal.write(Buffer.concat(lines.map(format))));
}

/** As it comes, unfinished lines too. */
async function showText({ file }: Source, { lines, follow: goesOn, raw, keepsColors, onSilence }: Wish, terminal: Speaker): Promise<void> {
  const start = { lines: lines ?? Infinity };
  const decoder = new TextDecoder('utf-8');
  const tamer = raw ? null : openTamer({ colors: keepsColors });
  let isSilent = true;
  const take = (chunk: Uint8Array): Promise<void> => {
    isSilent = false;
    return terminal.write(tamer === null ? chunk : tamer.push(decoder.decode(chunk, { stream: true })));
  };
  const onBegun = (): void => {
    if (isSilent) onSilence();
  };
  if (goesOn) return follow(file, start, take, new AbortController().signal, { onBegun });
  await readLog(file, start, take);
  if (tamer !== null) await terminal.write(tamer.end());
  onBegun();
}
