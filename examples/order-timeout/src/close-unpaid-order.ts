// An order that is still unpaid after half an hour is closed.

import { ScheduledTask } from '@carillon/decorators';
import { Orders } from './orders.js';

/** Closes an order unless it has been paid. */
@ScheduledTask({ in: '30m' })
export class CloseUnpaidOrder {
  constructor(private readonly orders: Orders) {}

  handle({ orderId }: { orderId: string }): void {
    this.orders.closeIfUnpaid(orderId);
  }
}
