// Set aside (I8): what is set aside is listed, with its reason.
//
// S1  Every dead or indeterminate job has a reason from the moment on when it is written, and stands in the list of jobs at
//     the end, unless it was redriven, its retention has ended, or the ledger forgot it.
// S2  Of every malformed or lost message that an event reported there is a record at the end; a process that died before
//     it could write one left the message to another.

import { Exemptions } from './exemptions.js';
import { bodyOf } from './job-record.js';
import type { MonitorMaker } from './monitor.js';

const SET_ASIDE = new Set(['dead', 'indeterminate']);

/** Watches over I8. */
export const setAside: MonitorMaker = ({ servers, violate }) => {
  const exemptions = new Exemptions();
  const aside = new Map<string, string>();
  const expired = new Set<string>();
  const reported = new Map<string, string>(); // id → host

  return {
    hears: ['record', 'event', 'host', 'forgotten'],
    watch(observation) {
      exemptions.watch(observation);
      if (observation.what === 'record' && observation.key.kind === 'job') {
        const { key, change, after } = observation;
        if (change === 'expired') expired.add(key.id);
        if (after === undefined) aside.delete(key.id);
        if (change !== 'written') return;
        reported.delete(key.id);
        if (!SET_ASIDE.has(after!.state)) aside.delete(key.id);
        else if ((bodyOf(after!).reason ?? '') !== '') aside.set(key.id, after!.state);
        else violate('I8', key.id, `a job is ${after!.state} without a reason`);
      }
      if (observation.what === 'event' && observation.host !== undefined) {
        const { event, data, host } = observation;
        if (event === 'delivery:malformed' || event === 'ledger:loss') reported.set((data as { id: string }).id, host);
      }
      const ended =
        observation.what === 'host' && (observation.change === 'crashed' || observation.change === 'stopped');
      if (ended) for (const [id, host] of reported) if (host === observation.host) reported.delete(id);
    },
    atEnd() {
      const listed = new Map(
        [...servers.ledger.records.kind('job')].map(({ record }) => [record.key.id, record.state]),
      );
      for (const [id, state] of aside) {
        if (listed.get(id) !== state && !exemptions.has(id))
          violate('I8', id, `a job that is ${state} is not listed so`);
      }
      for (const id of reported.keys()) {
        if (!listed.has(id) && !expired.has(id) && !exemptions.hasName(id))
          violate('I8', id, 'a message was reported as malformed or lost, and there is no record of it');
      }
    },
  };
};
