// The program of the README's section on decorators, run in virtual time.

import { type Attempt, Carillon, silentLogger } from '@carillon/core';
import { memoryStore, VirtualClock } from '@carillon/testing';
import { Container, inject } from 'inversify';
import { expect, it } from 'vitest';
import { fromContainer, methodTask, ScheduledTask } from './index.js';

const log: string[] = [];

class Orders {
  async closeIfUnpaid(orderId: string, options: { idempotencyKey: string; signal: AbortSignal }): Promise<void> {
    log.push(`closed ${orderId} ${options.idempotencyKey === '' || options.signal.aborted ? 'wrongly' : 'once'}`);
  }
  async total(day: string): Promise<string> {
    return `total of ${day}`;
  }
}

@ScheduledTask({ name: 'close-unpaid-order', in: '30m', retry: { for: '24h' } })
class CloseUnpaidOrder {
  constructor(@inject(Orders) private readonly orders: Orders) {}

  async handle({ orderId }: { orderId: string }, attempt: Attempt) {
    await this.orders.closeIfUnpaid(orderId, { idempotencyKey: attempt.idempotencyKey, signal: attempt.signal });
  }
}

class Reports {
  constructor(@inject(Orders) private readonly orders: Orders) {}

  @ScheduledTask({ name: 'reports.daily' })
  async daily({ day }: { day: string }) {
    return this.orders.total(day);
  }
}

it('runs as the README says', async () => {
  const clock = new VirtualClock();
  const container = new Container();
  container.bind(Orders).toSelf().inSingletonScope();

  const carillon = new Carillon({
    backend: memoryStore({ clock }),
    tasks: fromContainer(container, [CloseUnpaidOrder, Reports]),
    logger: silentLogger,
    clock,
  });
  await carillon.start();

  await carillon.schedule(CloseUnpaidOrder, { orderId: 'o-42' });
  const report = await carillon.schedule(methodTask(Reports, 'daily'), { day: '2026-03-29' }, { in: '5m' });

  await clock.advance(30 * 60_000 - 1);
  expect(log).toEqual([]);
  expect((await carillon.get(methodTask(Reports, 'daily'), { id: report.id }))?.result).toBe('total of 2026-03-29');
  await clock.advance(1);
  expect(log).toEqual(['closed o-42 once']);
  await carillon.stop();
});
