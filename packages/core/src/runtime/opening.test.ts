import { Carillon, defineTask, implement } from '@carillon/core';
import { durationMs } from '@carillon/core/spi';
import { memory, VirtualClock } from '@carillon/testing';
import { expect, it } from 'vitest';

it('tells the transport which queues it will serve, as adapters see them, so that it can verify them', async () => {
  const clock = new VirtualClock();
  const { transport, ledger } = memory({ clock });
  const opened: (readonly string[] | undefined)[] = [];
  const open = transport.open.bind(transport);
  transport.open = (queues?: readonly string[]) => {
    opened.push(queues);
    return open();
  };
  const task = implement(defineTask<string>('work', { queue: 'mail' }), () => {});
  const carillon = new Carillon({ backend: { transport, ledger }, tasks: [task], namespace: 'app', clock });
  await carillon.start();
  await carillon.stop();
  expect(opened).toEqual([['app/mail']]);
});

it.each([
  ['3d', '3d', undefined],
  ['7d', undefined, 'The broker keeps messages for 7d, and the task'],
  ['7d', '6d', "keep: '7d'"],
  ['7d', '7d', undefined],
  [undefined, '1h', undefined],
] as const)(
  'a broker that keeps messages for %s, completions that are kept for %s → %s',
  async (kept, keep, refusal) => {
    const clock = new VirtualClock();
    const limits = kept === undefined ? {} : { retentionMs: durationMs(kept, 'retention') };
    const task = implement(defineTask<string>('work', keep === undefined ? {} : { keep }), () => {});
    const carillon = new Carillon({ backend: memory({ clock, limits }), tasks: [task], clock });
    const started = carillon.start();
    if (refusal === undefined) await started;
    else await expect(started).rejects.toMatchObject({ code: 'E_OPTIONS', message: expect.stringContaining(refusal) });
    await carillon.stop();
  },
);
