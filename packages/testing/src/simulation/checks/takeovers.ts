// Takeovers (I3): a job is taken over only from who could not keep it.
//
// T1  A lease does not run out under a process that lives, moves and is answered: who holds it renews it, and records what
//     came of it, or gives it back. So whoever is granted a job whose lease has ended without a word finds that its holder
//     is gone, stood still, was stopping, or was out of reach of the ledger within the lease.
// T2  A claim that was not heard is repeated, and finds its lease. Only if somebody has edited the record in between is the
//     repetition stale, and the lease runs out.

import type { Instant, LedgerRecord } from '@carillon/core/spi';
import { Exemptions } from './exemptions.js';
import type { MonitorMaker } from './monitor.js';

const ANSWERED_MS = 25_000; // whoever was answered for so long has renewed a lease of 30 s
const SOON_MS = 5_000;
const SLOW_MS = 20_000 + 30_000 + SOON_MS; // a call may take so long that its caller has given up the lease which it brings
const HOLDING = new Set(['receive', 'renew']); // unheard, they leave a lease longer than its holder knows; a claim is repeated

/** Watches over what is taken over. */
export const takeovers: MonitorMaker = ({ servers, violate }) => {
  const exemptions = new Exemptions();
  const boots = new Map<string, number>();
  const troubledUntil = new Map<string, Instant>(); // by host
  const still = new Set<string>();
  const unheardUntil = new Map<string, Instant>(); // by host: claims
  const generations = new Map<string, number>(); // as they were granted
  let ledgerTroubledUntil = -Infinity;

  const trouble = (host: string, until: Instant): void =>
    void troubledUntil.set(host, Math.max(until, troubledUntil.get(host) ?? -Infinity));

  const granted = (before: LedgerRecord, at: Instant): void => {
    const { kind, id } = before.key;
    const holder = before.lease?.holder;
    if (holder === undefined || exemptions.has(id) || at <= ledgerTroubledUntil) return;
    if (servers.ledger.latest - before.lease!.until > SOON_MS) return; // what was wrong by its end is forgotten
    const [host, boot] = [holder.slice(0, holder.lastIndexOf('.')), holder.slice(holder.lastIndexOf('.') + 1)];
    if (Number(boot) !== boots.get(host) || still.has(host) || at <= (troubledUntil.get(host) ?? -Infinity)) return;
    const isEdited = generations.get(`${kind} ${id}`) !== before.generation;
    if (isEdited && at <= (unheardUntil.get(host) ?? -Infinity)) return; // T2
    violate('I3', id, `a job was taken over from ${holder}, which lives and is answered`); // T1
  };

  return {
    hears: ['record', 'request', 'host', 'fault', 'forgotten'],
    watch(observation) {
      exemptions.watch(observation);
      const { at, host } = observation;
      if (observation.what === 'record' && observation.change === 'granted') {
        const { key, before, after } = observation;
        if (before !== undefined) granted(before, at);
        generations.set(`${key.kind} ${key.id}`, after!.generation);
      } else if (observation.what === 'request' && host !== undefined) {
        if (observation.to === 'ledger' && !observation.served)
          trouble(host, at + (HOLDING.has(observation.name) ? SLOW_MS : ANSWERED_MS));
        if (observation.name === 'acquire' && !observation.served) unheardUntil.set(host, at + SLOW_MS);
      } else if (observation.what === 'fault') {
        if (observation.fault === 'slow' && host !== undefined) trouble(host, at + SLOW_MS);
        if (observation.fault === 'clock-step' || observation.fault === 'failover') ledgerTroubledUntil = at + SLOW_MS;
      } else if (observation.what === 'host' && host !== undefined) {
        const { change } = observation;
        if (change === 'started') boots.set(host, (boots.get(host) ?? 0) + 1);
        if (change === 'resumed' || change === 'started') still.delete(host);
        else still.add(host);
        if (change === 'resumed') trouble(host, at + SLOW_MS);
      }
    },
  };
};
