// Claim: judges a wish to hold a record, as a pure function of the record and the time.

import type { Claim, ClaimAnswer, Grant, Instant, Lease, LedgerRecord, Renewal } from '@carillon/core/spi';

/** What a claim comes to: `record` is to be stored if it is not the one that was judged. */
export interface Judgement {
  readonly record: LedgerRecord;
  readonly answer: ClaimAnswer;
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
  return { record: grant.record, answer: { answer: 'granted', ...grant } };
}

/** Grants a record that nobody holds now, whatever its due time. */
export function grantTo(record: LedgerRecord, by: Pick<Claim, 'holder' | 'nonce' | 'leaseMs'>, now: Instant): Grant {
  const fence = Math.max(record.fence + 1, Math.floor(now * 1000)); // L2 of ports/ledger.ts
  const lease: Lease = Object.freeze({ holder: by.holder, nonce: by.nonce, since: now, until: now + by.leaseMs });
  const interrupted = record.lease ? Object.freeze([...record.interrupted, record.lease]) : record.interrupted; // L5
  const version = record.version + 1; // L6
  return { record: Object.freeze({ ...record, version, fence, lease, interrupted }), fence, at: now };
}

/** The record with its lease prolonged; `undefined` if the renewal comes from somebody who no longer holds it. */
export function prolong(record: LedgerRecord, renewal: Renewal, now: Instant): LedgerRecord | undefined {
  const { lease } = record;
  if (lease === undefined || record.fence !== renewal.fence) return undefined;
  const until = Math.max(lease.until, now + renewal.leaseMs);
  return Object.freeze({ ...record, lease: Object.freeze({ ...lease, until }) });
}
