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

/** Grants the record that was aimed at, whatever its due time; its head says so from here on. */
export function grant(records: Records, key: RecordName, head: Head, by: Holder, now: Instant): Grant {
  const { lease } = head;
  head.fence = Math.max(head.fence + 1, Math.floor(now * 1000)); // L2
  head.version += 1; // L6
  head.lease = { holder: by.holder, nonce: by.nonce, since: now, until: now + by.leaseMs };
  head.process = by.process;
  if (lease !== undefined) head.interrupted = [...head.interrupted, lease]; // L5
  const record = records.record(key, head); // before the writing, which reads over the bytes of the body
  records.hold(head, lease);
  return { record, fence: head.fence, at: now };
}

/** Prolongs a lease, unless the renewal comes from somebody who no longer holds it. Inside of a transaction. */
export function renew(records: Records, renewal: Renewal, process: number, now: Instant): RenewalAnswer {
  const head = records.find(renewal.key, now);
  const lease = head?.lease;
  if (head === undefined || lease === undefined || head.fence !== renewal.fence) return { answer: 'lost' };
  const until = Math.max(lease.until, now + renewal.leaseMs);
  head.lease = { ...lease, until };
  head.process = process;
  records.hold(head, lease);
  return { answer: 'ok', version: head.version, until };
}

function create(records: Records, { key, create: content, nonce }: Claim, now: Instant): Head | undefined {
  if (content === undefined) return undefined;
  records.put(undefined, records.headOf(key, content, nonce), content);
  return records.find(key, now);
}
