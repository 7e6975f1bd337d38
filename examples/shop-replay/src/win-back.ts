// A customer who has not bought again for 60 days is reminded of the shop.

import type { Attempt } from '@carillon/core';
import { ScheduledTask } from '@carillon/decorators';
import { type Mail, MailGateway } from './mail-gateway.js';

/** Wins a customer back. */
@ScheduledTask({ in: '60d', timeout: '10s' })
export class WinBack {
  constructor(private readonly gateway: MailGateway) {}

  async handle(mail: Mail, attempt: Attempt): Promise<void> {
    await this.gateway.send('win-back', mail, attempt);
  }
}
