import { Carillon, defineTask, implement } from '@carillon/core';
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
