// Mark: a settled record in one whole number, and back (K1 of scripts/mark.ts).

import type { LedgerRecord, RecordKey } from '@carillon/core/spi';
import { hashed } from './key-names.js';
import { MARK_UNITS, MARKED_STATES } from './scripts/mark.js';

const BRIEF = /^[0-9a-f]{6}$/;
const NONCES = 2 ** 18;

/** What of a settled record is in its mark. */
interface Marked {
  readonly brief?: string | undefined;
  readonly state: string;
}

/** The mark that is to be left of a record, without its version; 0 if the record is to be kept whole. */
export function markOf({ brief, state }: Marked, nonce: string): number {
  const told = MARKED_STATES.indexOf(state);
  if (brief === undefined || told === -1 || !BRIEF.test(brief)) return 0;
  const identity = Number.parseInt(brief, 16) * NONCES + (hashed(nonce) % NONCES);
  return identity === 0 ? 0 : identity * MARK_UNITS.identity + told;
}

/** A mark as the record that it stands for, as far as it tells. */
export function readMark(key: RecordKey, mark: number): LedgerRecord {
  const identity = Math.floor(mark / MARK_UNITS.identity);
  const brief = Math.floor(identity / NONCES)
    .toString(16)
    .padStart(6, '0');
  return {
    key,
    version: Math.floor(mark / MARK_UNITS.version) % 256,
    generation: 0,
    fence: 0,
    queue: '',
    task: '',
    state: MARKED_STATES[mark % MARK_UNITS.version] ?? 'done',
    dueAt: 0,
    wakeAt: undefined,
    expiresAt: undefined,
    durableGrant: false,
    brief,
    body: '{"payload":null}',
    lease: undefined,
    interrupted: [],
    outbox: [],
  };
}
