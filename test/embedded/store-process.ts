// A process that works on an embedded store until it is killed, and tells on its output what it was answered.
// Arguments: folder, what to do (`insert`, `hold` or `receive`).

import type { RecordContent } from '@carillon/core/spi';
import { systemIds } from '@carillon/core/spi';
import { embedded } from '@carillon/embedded';

const [folder, what] = process.argv.slice(2) as [string, string];
const backend = embedded(folder);
await backend.ledger.open();
await backend.transport.open();
const ids = systemIds();
const { signal } = new AbortController();

function content(wakeAt: number): RecordContent {
  const body = JSON.stringify({ payload: 'x'.repeat(100) });
  const rest = { expiresAt: undefined, durableGrant: false, body, outbox: [] };
  return { generation: 1, queue: 'default', task: 'task', state: 'scheduled', dueAt: wakeAt, wakeAt, ...rest };
}

async function insert(): Promise<never> {
  for (;;) {
    const id = ids.job();
    const write = { do: 'put', key: { kind: 'job', id, partition: id }, expect: { absent: true } } as const;
    const writes = [{ ...write, content: content(Date.now() - 1) }];
    await backend.ledger.commit([{ nonce: ids.nonce(), durable: true, writes }]);
    process.stdout.write(`${id}\n`);
  }
}

/** Receives with a long lease, and never lets go. */
async function hold(): Promise<void> {
  for (;;) {
    const request = { queue: 'default', max: 100, leaseMs: 3_600_000, holder: `p${process.pid}`, signal };
    for (const { granted } of await backend.transport.receive(request)) {
      process.stdout.write(`${granted!.record.key.id} ${Date.now()} ${granted!.record.interrupted.length}\n`);
    }
  }
}

process.stdout.write('ready\n');
await (what === 'insert' ? Promise.all(Array.from({ length: 20 }, insert)) : hold());
