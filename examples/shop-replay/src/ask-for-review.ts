// A week after a purchase, the customer is asked what it was like.

import type { Attempt } from '@carillon/core';
import { ScheduledTask } from '@carillon/decorators';
import { type Mail, MailGateway } from './mail-gateway.js';

/** Asks for a review. */
@ScheduledTask({ in: '7d', timeout: '10s' })
export class AskForReview {
  constructor(private readonly gateway: MailGateway) {}

  async handle(mail: Mail, attempt: Attempt): Promise<void> {
    await this.gateway.send('review', mail, attempt);
  }
}
