// Acks (I6): a message is acked only when nothing depends on it any more.
//
// A1  That is so when its record is settled; when the message is stale (of an older generation or hop than the record's);
//     when a later message of the job has been sent; of the last message it is never so while the job is open.
// A2  An ack comes after the send of what its own delivery has promised: of a message of the generation that the same host
//     has just put an end to. What is delivered has been sent, whatever an outbox still says.
// A3  A record that is not there excuses no ack, unless the ledger has forgotten it since that very delivery, or its retention
//     has ended. What can't be read must have become a dead letter by then.
// A4  The numbers of a job's messages begin anew where the ledger forgot a write of it: what was sent since is later than
//     what was sent before, whatever their numbers.

import type { Instant, LedgerRecord, OutgoingMessage } from '@carillon/core/spi';
import { Deliveries } from './deliveries.js';
import { bodyOf, type Envelope, envelopeOf, identityOf, isSettled, MALFORMED, numberOf } from './job-record.js';
import type { MonitorMaker } from './monitor.js';

const MOST_MESSAGES = 1_000_000; // of one job

/** Watches over I6. */
export const acks: MonitorMaker = ({ servers, violate }) => {
  const forgottenAt = new Map<string, Instant>(); // by record
  const latestSent = new Map<string, number>();
  const losses = new Map<string, number>(); // by record
  const sentAfter = new Map<string, number>(); // by message: how many losses
  const deliveries = new Deliveries();
  const promised = new Map<string, { readonly by: string | undefined; readonly id: string; readonly ends: number }>();
  const promisers = new Map<string, string>(); // message → the record whose outbox it is in, its own or another
  const expired = new Set<string>();
  let deadLetters = 0;

  const placeOf = (message: OutgoingMessage): number =>
    (sentAfter.get(message.id) ?? 0) * MOST_MESSAGES + numberOf(message); // A4

  const reasonAgainst = (
    message: OutgoingMessage,
    { key, identity, generation, hop }: Envelope,
    record: LedgerRecord | undefined,
    by: string | undefined,
  ): string | undefined => {
    if (record === undefined) return expired.has(identity) ? undefined : 'there is no record of its job';
    if (key.kind === 'bell' || (key.kind === 'job' ? isSettled(record) : record.wakeAt === undefined)) return undefined;
    const promise = promised.get(identity);
    if (promise?.by === by && promise?.ends === generation) return 'what it has promised is not sent'; // A2
    if (generation < record.generation) return undefined;
    if (hop < (bodyOf(record).hop ?? 0) || placeOf(message) < (latestSent.get(identity) ?? 0)) return undefined;
    return 'its job is open and no later message was sent';
  };

  return {
    hears: ['record', 'message', 'host', 'forgotten'],
    watch(observation) {
      const deliveredAt = deliveries.watch(observation) ?? 0;
      if (observation.what === 'forgotten') {
        const name = identityOf(observation.key);
        losses.set(name, (losses.get(name) ?? 0) + 1); // A4
        forgottenAt.set(name, observation.at);
        promised.delete(name); // forgotten with it
      }
      if (observation.what === 'record') {
        const { key, change, before, after, host } = observation;
        if (change === 'expired') expired.add(identityOf(key));
        const next = change === 'written' ? after?.outbox.at(-1)?.message.id : undefined;
        if (next !== undefined && before !== undefined) {
          promised.set(identityOf(key), { by: host, id: next, ends: before.generation });
          promisers.set(next, identityOf(key));
        }
        const isNew = key.kind === 'job' && before === undefined && after?.state === 'dead';
        if (isNew && bodyOf(after).reason?.startsWith(MALFORMED) === true) deadLetters += 1;
      }
      if (observation.what !== 'message') return;

      const { message, change, host } = observation;
      const envelope = envelopeOf(message);
      if (envelope === undefined) {
        if (change !== 'acked') return;
        deadLetters -= 1;
        if (deadLetters < 0) violate('I6', message.id, 'a malformed message was acked without a dead letter');
        return;
      }
      const id = envelope.identity;
      const sent = change === 'stored' || (change === 'lost' && host !== undefined);
      if (sent || change === 'delivered') {
        const promiser = promisers.get(message.id) ?? id;
        if (promised.get(promiser)?.id === message.id) promised.delete(promiser);
        promisers.delete(message.id);
      }
      if (sent && losses.has(id)) sentAfter.set(message.id, losses.get(id)!);
      if (sent) latestSent.set(id, Math.max(latestSent.get(id) ?? 0, placeOf(message)));
      if (change !== 'acked') return;
      if ((forgottenAt.get(id) ?? -Infinity) >= deliveredAt) return; // A3
      const against = reasonAgainst(message, envelope, servers.ledger.records.get(envelope.key)?.record, host);
      if (against !== undefined)
        violate('I6', envelope.key.id, `${host ?? 'nobody'} acked the message ${message.id}, but ${against}`);
    },
  };
};
