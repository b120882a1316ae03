import type { Socket } from 'node:net';

/**
 * The file descriptor of a connection, for asking the kernel who is at its other end (`SO_PEERCRED`). Node keeps it in a
 * private field, so it may be `null` at any version; whoever asks must do without.
 */
export function peerDescriptor(socket: Socket): number | null {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return null;
  const descriptor: unknown = Reflect.get(handle, 'fd');
  return typeof descriptor === 'number' && descriptor >= 0 ? descriptor : null;
}
