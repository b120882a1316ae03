/** One client of a stream of server-sent events. */
export interface Sink {
  /** False when the client is gone, or was too slow and has been let go: it comes back and begins anew. */
  send(event: string, data: unknown): boolean;
  /** Resolves when the client has taken what was sent, for a sender that can wait. */
  room(): Promise<void>;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

export interface Streams {
  /** Null: there are as many as there may be. */
  open(serve: (sink: Sink) => (() => void) | Promise<void>): Response | null;
  /** Ends all of them. */
  close(): void;
  readonly count: number;
}

/** What a client may leave unread, and what all may together, beside one event of each: the first one with thousands of units may be larger than both. */
const MOST_UNREAD_BYTES = 4 * 1_048_576;
const MOST_UNREAD_OF_ALL_BYTES = 32 * 1_048_576;
/** Through proxies that end what is silent. */
const KEEP_ALIVE_MS = 15_000;

export function openStreams(most: number): Streams {
  const open = new Set<() => void>();
  return {
    get count() {
      return open.size;
    },
    close: () => {
      for (const end of open) end();
    },
    open: (serve) => {
      if (open.size >= most) return null;
      const stop = new AbortController();
      let takers: (() => void)[] = [];
      let timer: NodeJS.Timeout | undefined;
      let leave: (() => void) | null = null;
      let end = (): void => undefined;
      const body = new ReadableStream<Uint8Array>(
        {
          start(controller) {
            const endBy = (close: () => void): void => {
              if (!open.delete(end)) return;
              clearInterval(timer);
              stop.abort();
              leave?.();
              for (const take of takers) take();
              try {
                close();
              } catch {
                // The client has cancelled it.
              }
            };
            end = () => endBy(() => controller.close());
            open.add(end);
            let largest = 0;
            const unread = (): number => MOST_UNREAD_BYTES - (controller.desiredSize ?? MOST_UNREAD_BYTES);
            const write = (text: string): boolean => {
              if (unread() > largest + Math.min(MOST_UNREAD_BYTES, MOST_UNREAD_OF_ALL_BYTES / open.size)) {
                // What is unread is let go with it: a stream that is closed keeps that for its client.
                endBy(() => controller.error(new Error('the client does not read')));
              }
              if (stop.signal.aborted) return false;
              const bytes = encoder.encode(text);
              largest = Math.max(largest, bytes.length);
              controller.enqueue(bytes);
              return true;
            };
            const sink: Sink = {
              send: (event, data) => write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
              room: () =>
                unread() < ROOM_BYTES || stop.signal.aborted
                  ? Promise.resolve()
                  : new Promise((take) => void takers.push(take)),
              signal: stop.signal,
            };
            timer = setInterval(() => write(': still here\n\n'), KEEP_ALIVE_MS);
            write('retry: 1000\n\n');
            const served = serve(sink);
            if (typeof served === 'function') leave = served;
            else served.then(end, end);
            if (stop.signal.aborted) leave?.();
          },
          pull(controller) {
            if ((controller.desiredSize ?? 0) <= MOST_UNREAD_BYTES - ROOM_BYTES) return;
            const waiting = takers;
            takers = [];
            for (const take of waiting) take();
          },
          cancel: () => end(),
        },
        new ByteLengthQueuingStrategy({ highWaterMark: MOST_UNREAD_BYTES }),
      );
      return new Response(body, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' } });
    },
  };
}

/** A sender that can wait does so when more than this is unread. */
const ROOM_BYTES = 65_536;
const encoder = new TextEncoder();
