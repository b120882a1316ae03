import { readHead, readTail } from '../files.ts';

/**
 * What a compressed archive was before: the inode of the raw file, so that a follower that has that one open finds its successor. It stands in the
 * comment of an empty gzip member at the beginning; readers of gzip see no difference, since a file may hold any number of members (RFC 1952).
 */
export function originMember(inode: number): Buffer {
  const header = Buffer.from([0x1f, 0x8b, 0x08, hasComment, 0, 0, 0, 0, 0, unknownSystem]);
  const emptyDeflate = Buffer.from([0x03, 0x00]);
  const checkAndSize = Buffer.alloc(8);
  return Buffer.concat([header, Buffer.from(`inode ${inode}\0`, 'latin1'), emptyDeflate, checkAndSize]);
}

/** The inode noted in a compressed archive; null in one that was not made by us. */
export function originOf(path: string): number | null {
  const head = readHead(path, 64);
  const noted = /^inode ([0-9]+)\0/.exec(head.toString('latin1', headerBytes));
  return head[3] === hasComment && noted !== null ? Number(noted[1]) : null;
}

/** Length of what a gzip file of at most 4 GiB holds, from its last four bytes (RFC 1952, ISIZE). */
export function uncompressedSize(path: string): number {
  const end = readTail(path, smallestMemberBytes);
  return end.length < smallestMemberBytes ? 0 : end.readUInt32LE(smallestMemberBytes - 4);
}

const headerBytes = 10;
const smallestMemberBytes = headerBytes + 8;
const hasComment = 0x10;
const unknownSystem = 0xff;
