// An afternoon of orders, in virtual time: paid before half an hour is over, after, or never.

import 'reflect-metadata';
import { fromContainer } from '@carillon/decorators';
import { testCarillon } from '@carillon/testing';
import { Container } from 'inversify';
import { CloseUnpaidOrder } from './close-unpaid-order.js';
import { Orders } from './orders.js';
import { RemindOfOrder } from './remind-of-order.js';

const container = new Container();
container.bind(Orders).toSelf().inSingletonScope();
const orders = container.get(Orders);

const app = await testCarillon(fromContainer(container, [CloseUnpaidOrder, RemindOfOrder]), {
  startAt: new Date('2026-03-28T12:00:00Z'),
});
const say = (text: string): void => console.log(`${app.now.toISOString().slice(11, 16)}  ${text}`);

for (const orderId of ['o-1', 'o-2', 'o-3']) {
  orders.place(orderId);
  await app.schedule(CloseUnpaidOrder, { orderId });
}
await app.schedule(RemindOfOrder, { orderId: 'o-3' }, { at: '2026-03-28T14:20', timezone: 'Europe/Athens' });
say('Three orders are placed. Each is closed in 30 minutes unless it is paid.');

await app.advance('10m');
orders.pay('o-1');
say('Order o-1 is paid.');

await app.advance('10m');
say(`It is 14:20 in Athens. Reminder: ${orders.notes.join()}`);

await app.advance('15m');
say(`Order o-2 comes to be paid, ${orders.pay('o-2') ? 'in time' : 'too late'}.`);

await app.advance('25m');
for (const orderId of ['o-1', 'o-2', 'o-3']) say(`Order ${orderId} is ${orders.stateOf(orderId) ?? 'unknown'}.`);
await app.stop();
