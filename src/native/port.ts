/** What the kernel offers and Node has no function for. Nothing of it is needed: whoever asks has another way where there is no port. */
export interface NativePort {
  /** The process at the other end of a connected Unix socket and its user, as the kernel noted them at the connect: SO_PEERCRED of unix(7). `null` where it does not say. */
  peerOf(socket: number): { readonly pid: number; readonly uid: number } | null;
}
