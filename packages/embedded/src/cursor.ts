// Cursor: where a page ended, written so that a text which no page handed out is refused, not taken for a place.
//
// U1  A cursor ends with a checksum over the question's kind, its source and its place.

import { crc32 } from 'node:zlib';
import { CarillonError } from '@carillon/core/spi';

/** The question that a page answers. */
type Question = 'due' | 'list';

/** The place behind which the next page goes on: the number of a source, and bytes in that source's order. */
interface Place {
  readonly source: number;
  readonly passed: Buffer;
}

const SOURCE_BYTES = 4;
const CHECKSUM_BYTES = 4;

/** The cursor that leads to this place. */
export function writeCursor(question: Question, { source, passed }: Place): string {
  const bytes = Buffer.allocUnsafe(SOURCE_BYTES + passed.length + CHECKSUM_BYTES);
  bytes.writeUInt32BE(source);
  bytes.set(passed, SOURCE_BYTES);
  bytes.writeUInt32BE(checksum(question, bytes), bytes.length - CHECKSUM_BYTES);
  return bytes.toString('base64url');
}

/** The place that a cursor leads to; throws `E_OPTIONS` for a text that no page of such a question has handed out. */
export function readCursor(question: Question, cursor: string): Place {
  const bytes = Buffer.from(cursor, 'base64url');
  const isOurs =
    bytes.length > SOURCE_BYTES + CHECKSUM_BYTES &&
    bytes.readUInt32BE(bytes.length - CHECKSUM_BYTES) === checksum(question, bytes);
  if (isOurs) return { source: bytes.readUInt32BE(), passed: bytes.subarray(SOURCE_BYTES, -CHECKSUM_BYTES) };
  throw new CarillonError('E_OPTIONS', `${JSON.stringify(cursor)} is no cursor of a page.`, {
    next: 'Give the cursor of the page before, or leave it out for the first page.',
  });
}

function checksum(question: Question, bytes: Buffer): number {
  return crc32(bytes.subarray(0, -CHECKSUM_BYTES), crc32(question));
}
