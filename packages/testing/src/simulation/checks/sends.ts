// Sends (I9): nothing is sent without a cause, and nobody turns in a circle.
//
// The bound per job is exact: each store of one of its messages uses up a cause (send-causes.ts), and causes are what was
// promised, the sweeps, and the faults that it met. Copies that the broker makes by itself, and redeliveries, cost nothing.
// So an engine that sends once more than it must is seen at that send, however many faults there are elsewhere.
//
// N1  No store without a cause. What business code sends of on-claim jobs is paid for by its calls.
// N2  A sweep moves the job's attention time forward, and none comes before the time that the last one has named: else
//     every engine would send the same again at every round. That time is a grace away which doubles from sweep to sweep.
// N3  Nothing spins: within one second there are at most `MOST_PER_SECOND` grants, writes, stores or releases of one job,
//     and at most as many receives of a host beside what its deliveries call for. A call takes 2 ms, so a loop makes
//     hundreds. On a fused store a grant is the delivery. What an attempt needs is paid for by the attempt: how soon one
//     follows another is for its backoff to say, and D3 of delays.ts sees to that.
// N4  The outbox of a schedule, of its bell, and of an occurrence that rings it holds messages of others too, and after an
//     edit more than one of its own: whoever wrote it, or has a delivery of it, may send what it promises.

import {
  formatDuration,
  type Instant,
  type LedgerRecord,
  type OutgoingMessage,
  type RecordKey,
} from '@carillon/core/spi';
import { timeOf } from '../report/plain-words.js';
import { bodyOf, envelopeOf } from './job-record.js';
import type { MonitorMaker } from './monitor.js';
import { SendCauses } from './send-causes.js';

const MOST_PER_SECOND = 60;
const [GRANTED, WRITTEN, STORED] = ['a record was granted', 'a record was written', 'a message was stored'] as const;
const PROMISERS = new Set(['job', 'schedule', 'bell']);
const [GRACE_MS, LONGEST_GRACE_MS] = [15_000, 3_600_000] as const;
const SLOW_MS = 20_000; // how long a write may be under way
const SKEW_MS = 25_000; // how far an engine's idea of the ledger's time may be off: by a slow answer, by steps of its clock

/** Counts what happens within a second, by what it is and to whom. */
class Pace {
  readonly #counts = new Map<string, Map<string, number>>();
  #second = -Infinity;

  /** Adds to a count; answers with it. */
  add(what: string, name: string, at: Instant, amount = 1): number {
    const second = Math.floor(at / 1000);
    if (second !== this.#second) for (const names of this.#counts.values()) if (names.size > 0) names.clear();
    this.#second = second;
    let names = this.#counts.get(what);
    if (names === undefined) this.#counts.set(what, (names = new Map()));
    const count = (names.get(name) ?? 0) + amount;
    names.set(name, count);
    return count;
  }
}

/** Watches over I9. */
export const sends: MonitorMaker = ({ plan, servers, violate }) => {
  const causes = new SendCauses();
  const swept = new Map<string, { readonly fence: number; readonly wakeAt: Instant }>();
  const pace = new Pace();
  const slowMs = plan.faults.slow === undefined ? 0 : SLOW_MS;
  const callers = new Set<string>();
  const promisedBy = new Map<string, Set<string>>(); // message → whose outboxes it is in: two occurrences ring with one message

  const spins = (what: string, name: string, at: Instant): void => {
    if (pace.add(what, name, at) > MOST_PER_SECOND)
      violate('I9', name, `more than ${MOST_PER_SECOND} times within one second: ${what}`); // N3
  };
  const wrote = (id: string, host: string, before: LedgerRecord | undefined, after: LedgerRecord): void => {
    const isSweep = before !== undefined && (bodyOf(after).sweeps ?? 0) > (bodyOf(before).sweeps ?? 0);
    const isResolved = before?.lease !== undefined && after.lease === undefined;
    const isHop = before !== undefined && (bodyOf(after).hop ?? 0) > (bodyOf(before).hop ?? 0);
    causes.wrote(id, host, after.outbox.length + (isSweep ? 1 : 0), isResolved || isHop);
    if (!isSweep) return;
    const { fence, wakeAt = Infinity } = after;
    const graceMs = Math.min(GRACE_MS * 2 ** (bodyOf(after).sweeps ?? 0), LONGEST_GRACE_MS);
    if (wakeAt <= (before.wakeAt ?? -Infinity)) violate('I9', id, 'a sweep did not move the attention time'); // N2
    else if (wakeAt - servers.ledger.now() < graceMs - SKEW_MS - slowMs)
      violate('I9', id, `a sweep names the time ${timeOf(wakeAt)}, with less than ${formatDuration(graceMs)} of grace`); // N2
    const last = swept.get(id);
    swept.set(id, { fence, wakeAt });
    if (last?.fence !== before.fence || last.wakeAt !== before.wakeAt) return; // something happened since
    const earlyMs = last.wakeAt - servers.ledger.latest;
    if (earlyMs > SKEW_MS)
      violate('I9', id, `a sweep came ${formatDuration(earlyMs)} before the time that the last one has named`); // N2
  };
  /** N4. */
  const promises = (name: string, host: string, { key, outbox, wakeAt }: LedgerRecord): void => {
    if (key.kind === 'job' && outbox.length === 0) return;
    const own = outbox.filter(({ message }) => isOf(key, message)).length;
    for (const { message } of outbox) {
      const isOwn = isOf(key, message);
      if (!isOwn || own > 1) promisedBy.set(message.id, (promisedBy.get(message.id) ?? new Set()).add(name));
      if (!isOwn) causes.wrote(message.id, host, 1, false);
    }
    const isSweep = key.kind !== 'job' && outbox.length === 0 && wakeAt !== undefined;
    if (key.kind !== 'job') causes.wrote(name, host, own + (isSweep ? 1 : 0), false);
  };

  return {
    hears: ['record', 'message', 'attempt', 'call', 'request', 'host', 'fault'],
    watch(observation) {
      const { at, host } = observation;
      const isGrant = observation.what === 'record' && observation.change === 'granted';
      if (host === undefined) return;
      if (isGrant && plan.shape === 'fused') pace.add('receive', host, at, -2);
      switch (observation.what) {
        case 'record': {
          const { key, change, before, after } = observation;
          const name = accountOf(key);
          if (change === 'written' && key.kind === 'job') wrote(key.id, host, before, after!);
          if (change === 'written' && PROMISERS.has(key.kind)) promises(name, host, after!);
          if (key.kind !== 'job' && key.kind !== 'schedule') return;
          if (change === 'written' || change === 'granted') spins(change === 'granted' ? GRANTED : WRITTEN, name, at);
          break;
        }
        case 'message': {
          const { change, message } = observation;
          const envelope = envelopeOf(message);
          if (envelope === undefined) return;
          const id = accountOf(envelope.key);
          if (change === 'delivered') {
            causes.delivered(id, host);
            pace.add('receive', host, at, -2);
          }
          if (change === 'stored' || change === 'lost') {
            const isCalled = envelope.onClaim && callers.has(host);
            const promisers = [...(promisedBy.get(message.id) ?? [])];
            const mayFlush = promisers.some((name) => causes.holds(name, host)); // at no cost: the job's own deliveries flush too
            const isPaid = mayFlush || causes.stored(causes.has(message.id, host) ? message.id : id, host, at);
            if (!isPaid && !isCalled) violate('I9', id, `${host} sent a message without a cause`); // N1
            spins(STORED, id, at);
          }
          if (change === 'acked' || change === 'released') causes.ended(id, host);
          if (change === 'released') spins('a message was released', id, at);
          break;
        }
        case 'call':
          callers.add(host);
          break;
        case 'attempt': {
          const { jobId } = observation.attempt;
          if (observation.moment === 'started') pace.add(GRANTED, jobId, at, -1);
          else for (const needed of [WRITTEN, STORED]) pace.add(needed, jobId, at, -1);
          break;
        }
        case 'request':
          if (observation.name === 'receive' && pace.add('receive', host, at) > MOST_PER_SECOND)
            violate('I9', host, `more than ${MOST_PER_SECOND} receives within one second`); // N3
          break;
        case 'fault':
          if (observation.fault === 'send-unheard') causes.unheard(host, at);
          break;
        case 'host':
          if (observation.change === 'crashed' || observation.change === 'stopped') causes.gone(host);
          break;
        default:
          break;
      }
    },
  };
};

function isOf({ kind, id }: RecordKey, message: OutgoingMessage): boolean {
  const key = envelopeOf(message)?.key;
  return key?.kind === kind && key.id === id;
}

/** Whose causes pay for messages of a record: a job goes by its id, what is not a job says so. */
function accountOf({ kind, id }: RecordKey): string {
  return kind === 'job' ? id : `${kind} ${id}`;
}
