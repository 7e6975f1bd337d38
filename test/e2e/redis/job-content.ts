// Job content: what a job's record says in tests of the ledger alone.

import type { RecordContent, RecordKey } from '@carillon/core/spi';

/** A job that has been due since 1970, unless `over` says otherwise. */
export function jobContent(over: Partial<RecordContent> = {}): RecordContent {
  return {
    generation: 1,
    queue: 'default',
    task: 'send-mail',
    state: 'scheduled',
    dueAt: 1_000,
    wakeAt: 1_000,
    expiresAt: undefined,
    durableGrant: false,
    body: '{"payload":null}',
    outbox: [],
    ...over,
  };
}

/** The key of a job in the first partition. */
export function jobKey(id: string): RecordKey {
  return { kind: 'job', id, partition: '00' };
}
