import { closeSync, openSync, readSync } from 'node:fs';

/**
 * What a compressed archive was before: the inode of the raw file, so that a follower that has that one open finds its
 * successor. It stands in the comment of an empty gzip member at the beginning; readers of gzip see no difference, since
 * a file may hold any number of members (RFC 1952).
 */
export function originMember(inode: number): Buffer {
  const header = Buffer.from([0x1f, 0x8b, 0x08, hasComment, 0, 0, 0, 0, 0, unknownSystem]);
  const emptyDeflate = Buffer.from([0x03, 0x00]);
  const checkAndSize = Buffer.alloc(8);
  return Buffer.concat([header, Buffer.from(`inode ${inode}\0`, 'latin1'), emptyDeflate, checkAndSize]);
}

/** The inode noted in a compressed archive; null in one that was not made by us. */
export function originOf(path: string): number | null {
  const descriptor = openSync(path, 'r');
  try {
    const head = Buffer.alloc(64);
    const text = head.toString('latin1', 0, readSync(descriptor, head, 0, head.length, 0));
    const noted = /^inode ([0-9]+)\0/.exec(text.slice(headerBytes));
    return head[3] === hasComment && noted !== null ? Number(noted[1]) : null;
  } finally {
    closeSync(descriptor);
  }
}

const headerBytes = 10;
const hasComment = 0x10;
const unknownSystem = 0xff;
