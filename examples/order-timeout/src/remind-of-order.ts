// A customer is reminded of an unpaid order at a time that the shop chooses.

import { ScheduledTask } from '@carillon/decorators';
import { Orders } from './orders.js';

/** Reminds of an order unless it has been paid. */
@ScheduledTask()
export class RemindOfOrder {
  constructor(private readonly orders: Orders) {}

  handle({ orderId }: { orderId: string }): void {
    this.orders.remind(orderId);
  }
}
