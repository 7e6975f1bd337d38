import 'reflect-metadata';
import { fromContainer } from '@carillon/decorators';
import { testCarillon } from '@carillon/testing';
import { Container } from 'inversify';
import { expect, it } from 'vitest';
import { CloseUnpaidOrder } from './close-unpaid-order.js';
import { Orders } from './orders.js';
import { RemindOfOrder } from './remind-of-order.js';

async function shop(startAt = new Date('2026-03-28T12:00:00Z')) {
  const orders = new Orders();
  const container = new Container();
  container.bind(Orders).toConstantValue(orders);
  const app = await testCarillon(fromContainer(container, [CloseUnpaidOrder, RemindOfOrder]), { startAt });
  return { app, orders };
}

it('closes an order that is never paid, 30 minutes later', async () => {
  const { app, orders } = await shop();
  orders.place('o-1');
  await app.schedule(CloseUnpaidOrder, { orderId: 'o-1' });

  await app.advance('29m');
  expect(orders.stateOf('o-1')).toBe('unpaid');
  await app.advance('1m');
  expect(orders.stateOf('o-1')).toBe('closed');
});

it('leaves an order alone that was paid before', async () => {
  const { app, orders } = await shop();
  orders.place('o-2');
  await app.schedule(CloseUnpaidOrder, { orderId: 'o-2' });

  await app.advance('10m');
  expect(orders.pay('o-2')).toBe(true);
  await app.advance('1h');
  expect(orders.stateOf('o-2')).toBe('paid');
});

it('takes no payment after', async () => {
  const { app, orders } = await shop();
  orders.place('o-3');
  await app.schedule(CloseUnpaidOrder, { orderId: 'o-3' });

  await app.advance('31m');
  expect(orders.pay('o-3')).toBe(false);
  expect(orders.stateOf('o-3')).toBe('closed');
});

it('reminds at an absolute time, given with its offset', async () => {
  const { app, orders } = await shop();
  orders.place('o-4');
  await app.schedule(RemindOfOrder, { orderId: 'o-4' }, { at: '2026-03-28T18:00:00+02:00' }); // 16:00 UTC

  await app.advance('3h59m');
  expect(orders.notes).toEqual([]);
  await app.advance('1m');
  expect(orders.notes).toEqual(['Order o-4 waits for its payment.']);
});

it("reminds at nine in the morning of the customer's zone, on the day when its clocks go forward", async () => {
  const { app, orders } = await shop();
  orders.place('o-5');
  await app.schedule(RemindOfOrder, { orderId: 'o-5' }, { at: '2026-03-29T09:00', timezone: 'Europe/Berlin' });

  await app.advance('18h59m'); // 06:59 UTC: summer time began at 01:00 UTC, so nine o'clock is 07:00 UTC
  expect(orders.notes).toEqual([]);
  await app.advance('1m');
  expect(orders.notes).toEqual(['Order o-5 waits for its payment.']);
});
