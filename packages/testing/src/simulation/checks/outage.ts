// Outage (I11): while the ledger is out of reach of a host, that host takes no work, and no job pays for it.
//
// U1  `NOTICED_MS` after the first request that was not served (a client's time-out, and a little) a host begins at most
//     `BEGUN` more receives until the ledger answers it again: those that were on their way to it.
// U2  Meanwhile it releases no delivery more than twice.
// U3  It asks ever more rarely: the ledger that does not answer hears no more than `MOST_ASKED` requests of it a second.
// U4  A failure is recorded only of an attempt that failed: never of one whose handler returned, unless its time had run out.

import type { Instant, LedgerRecord } from '@carillon/core/spi';
import { Fences } from './fences.js';
import { bodyOf } from './job-record.js';
import type { MonitorMaker } from './monitor.js';

const NOTICED_MS = 6_000;
const BEGUN = 6;
const MOST_RELEASES = 2;
const MOST_ASKED = 20; // the probes of one engine, and whatever its business code and its handlers ask

interface Outage {
  readonly since: Instant;
  receives: number;
  readonly releases: Map<string, number>;
  /** Requests within the latest second in which there were any. */
  asked: { readonly second: number; count: number };
}

/** Watches over I11. */
export const outage: MonitorMaker = ({ plan, violate }) => {
  const outages = new Map<string, Outage>();
  const returned = new Fences();

  const asked = (host: string, to: string, name: string, served: boolean, at: Instant): void => {
    if (to === 'ledger') {
      if (served) outages.delete(host);
      else if (!outages.has(host))
        outages.set(host, { since: at, receives: 0, releases: new Map(), asked: { second: 0, count: 0 } });
    }
    const out = outages.get(host);
    if (to === 'ledger' && out !== undefined) again(host, out, at);
    if (name !== 'receive' || out === undefined || at - out.since < NOTICED_MS) return;
    out.receives += 1;
    if (plan.shape === 'apart' && out.receives > BEGUN)
      violate(
        'I11',
        host,
        `a host goes on receiving while the ledger has been out of its reach for ${at - out.since} ms`,
      );
  };

  /** U3. */
  const again = (host: string, out: Outage, at: Instant): void => {
    const second = Math.floor(at / 1000);
    if (out.asked.second !== second) out.asked = { second, count: 0 };
    out.asked.count += 1;
    if (out.asked.count > MOST_ASKED && at - out.since >= NOTICED_MS)
      violate(
        'I11',
        host,
        `a host asks more than ${MOST_ASKED} times within one second, and the ledger does not answer`,
      );
  };

  const released = (host: string, message: string, at: Instant): void => {
    const out = outages.get(host);
    if (out === undefined || at - out.since < NOTICED_MS) return;
    const count = (out.releases.get(message) ?? 0) + 1;
    out.releases.set(message, count);
    if (count > MOST_RELEASES)
      violate('I11', message, `a host released a delivery ${count} times while the ledger was out of its reach`);
  };

  const wrote = (id: string, before: LedgerRecord, after: LedgerRecord): void => {
    const is = bodyOf(after);
    if (is.failures === undefined || is.failures <= (bodyOf(before).failures ?? 0)) return;
    const timedOut = is.attempts?.at(-1)?.[3] === 'timed-out';
    if (returned.has(id, before.fence) && !timedOut)
      violate('I11', id, 'a failure was recorded of an attempt that had returned');
  };

  return {
    hears: ['record', 'message', 'attempt', 'request', 'host'],
    watch(observation) {
      const { at, host } = observation;
      if (observation.what === 'request' && host !== undefined)
        asked(host, observation.to, observation.name, observation.served, at);
      if (observation.what === 'host') outages.delete(host ?? '');
      if (observation.what === 'message' && observation.change === 'released' && host !== undefined)
        released(host, observation.message.id, at);
      if (observation.what === 'attempt' && observation.moment === 'returned' && observation.error === undefined)
        returned.add(observation.attempt.jobId, observation.attempt.fence);
      if (observation.what === 'record' && observation.change === 'written' && observation.key.kind === 'job') {
        const { key, before, after } = observation;
        if (before !== undefined) wrote(key.id, before, after!);
      }
    },
  };
};
