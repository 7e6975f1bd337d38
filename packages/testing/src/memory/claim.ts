// Claim: judges a wish to hold a record, as a pure function of the record and the time.

import type { Claim, ClaimAnswer, Grant, Instant, Lease, LedgerRecord, Renewal } from '@carillon/core/spi';
import { draftOf } from './records.js';

/** What a claim comes to: `record` is to be stored if it is not the one that was judged. */
export interface Judgement {
  readonly record: LedgerRecord;
  readonly answer: Extract<ClaimAnswer, { record: LedgerRecord }>;
}

/** Judges a claim on a record that exists. */
export function judge(record: LedgerRecord, claim: Claim, now: Instant): Judgement {
  const { lease } = record;
  if (record.wakeAt === undefined) return { record, answer: { answer: 'settled', record } };
  if (claim.generation < record.generation) return { record, answer: { answer: 'stale', record } };
  if (lease?.nonce === claim.nonce) {
    return { record, answer: { answer: 'granted', record, fence: record.fence, at: lease.since } }; // L4
  }
  if (record.dueAt > now) return { record, answer: { answer: 'early', record, inMs: record.dueAt - now } };
  if (lease && lease.until > now) {
    return { record, answer: { answer: 'busy', record, retryInMs: lease.until - now } }; // L3
  }
  const grant = grantTo(record, claim, now);
  return {
    record: grant.record,
    answer: { answer: 'granted', record: grant.record, fence: grant.fence, at: grant.at },
  };
}

/** Grants a record that nobody holds now, whatever its due time. */
export function grantTo(record: LedgerRecord, by: Pick<Claim, 'holder' | 'nonce' | 'leaseMs'>, now: Instant): Grant {
  const fence = Math.max(record.fence + 1, Math.floor(now * 1000)); // L2 of ports/ledger.ts
  const lease: Lease = Object.freeze({ holder: by.holder, nonce: by.nonce, since: now, until: now + by.leaseMs });
  const granted = draftOf(record);
  granted.version += 1; // L6
  granted.fence = fence;
  granted.lease = lease;
  if (record.lease) granted.interrupted = Object.freeze([...record.interrupted, record.lease]); // L5
  return { record: Object.freeze(granted), fence, at: now };
}

/** The record with its lease prolonged; `undefined` if the renewal comes from somebody who no longer holds it. */
export function prolong(record: LedgerRecord, renewal: Renewal, now: Instant): LedgerRecord | undefined {
  const { lease } = record;
  if (lease === undefined || record.fence !== renewal.fence) return undefined;
  const { holder, nonce, since } = lease;
  const until = Math.max(lease.until, now + renewal.leaseMs);
  const prolonged = draftOf(record);
  prolonged.lease = Object.freeze({ holder, nonce, since, until });
  return Object.freeze(prolonged);
}
