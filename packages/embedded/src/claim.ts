// Claim: judges a wish to hold a record, and grants or prolongs leases.

import type { Claim, ClaimAnswer, Grant, Instant, Renewal, RenewalAnswer } from '@carillon/core/spi';
import type { Head } from './record-codec.js';
import type { Records } from './records.js';
import type { RecordName } from './removals.js';

/** Who asks for a lease. */
export interface Holder extends Pick<Claim, 'holder' | 'nonce' | 'leaseMs'> {
  readonly process: number;
}

/** Judges one claim, and stores what it comes to. Inside of a transaction. */
export function acquire(records: Records, claim: Claim, process: number, now: Instant): ClaimAnswer {
  const { key } = claim;
  const head = records.find(key, now) ?? create(records, claim, now);
  if (head === undefined) return { answer: 'absent' };
  const { lease } = head;
  if (head.wakeAt === undefined) return { answer: 'settled', record: records.record(key, head) };
  if (claim.generation < head.generation) return { answer: 'stale', record: records.record(key, head) };
  if (lease?.nonce === claim.nonce) {
    return { answer: 'granted', record: records.record(key, head), fence: head.fence, at: lease.since }; // L4
  }
  if (head.dueAt > now) return { answer: 'early', record: records.record(key, head), inMs: head.dueAt - now };
  if (lease && lease.until > now) {
    return { answer: 'busy', record: records.record(key, head), retryInMs: lease.until - now }; // L3
  }
  const { holder, nonce, leaseMs } = claim;
  return { answer: 'granted', ...grant(records, key, head, { holder, nonce, leaseMs, process }, now) };
}

/** Grants the record that was aimed at, whatever its due time. */
export function grant(records: Records, key: RecordName, head: Head, by: Holder, now: Instant): Grant {
  const fence = Math.max(head.fence + 1, Math.floor(now * 1000)); // L2
  const granted: Head = {
    ...head,
    version: head.version + 1, // L6
    fence,
    lease: { holder: by.holder, nonce: by.nonce, since: now, until: now + by.leaseMs },
    process: by.process,
    interrupted: head.lease ? [...head.interrupted, head.lease] : head.interrupted, // L5
  };
  const record = records.record(key, granted); // before the writing, which reads over the bytes of the body
  records.hold(head, granted);
  return { record, fence, at: now };
}

/** Prolongs a lease, unless the renewal comes from somebody who no longer holds it. Inside of a transaction. */
export function renew(records: Records, renewal: Renewal, process: number, now: Instant): RenewalAnswer {
  const head = records.find(renewal.key, now);
  const lease = head?.lease;
  if (head === undefined || lease === undefined || head.fence !== renewal.fence) return { answer: 'lost' };
  const until = Math.max(lease.until, now + renewal.leaseMs);
  records.hold(head, { ...head, lease: { ...lease, until }, process });
  return { answer: 'ok', version: head.version, until };
}

function create(records: Records, { key, create: content, nonce }: Claim, now: Instant): Head | undefined {
  if (content === undefined) return undefined;
  records.put(undefined, records.headOf(key, content, nonce), content);
  return records.find(key, now);
}
