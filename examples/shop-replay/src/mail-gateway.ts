// Mail gateway: what the workers' tasks send their mails through.

import { Agent, request } from 'node:http';
import type { Attempt } from '@carillon/core';
import { inject, injectable } from 'inversify';
import type { MailKind, MailRequest } from './evidence.js';

/** What a mail is about; the payload of both tasks. */
export interface Mail {
  readonly row: number;
  readonly customer: string;
}

/** Where the gateway is, and who this worker is. */
export interface GatewayAccess {
  readonly url: string;
  readonly worker: string;
}

/** Under this symbol the container keeps the `GatewayAccess`. */
export const GATEWAY_ACCESS = Symbol('GatewayAccess');

/** Asks the gateway to send mails. */
@injectable()
export class MailGateway {
  readonly #access: GatewayAccess;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(@inject(GATEWAY_ACCESS) access: GatewayAccess) {
    this.#access = access;
  }

  /** Sends a mail; a repeat with the same idempotency key sends none. Throws if the gateway does not accept it. */
  async send(kind: MailKind, { row, customer }: Mail, attempt: Attempt): Promise<void> {
    const { worker } = this.#access;
    const mail: MailRequest = { kind, row, customer, worker, attempt: attempt.number };
    const status = await this.#post(JSON.stringify(mail), attempt);
    if (status >= 300) throw new Error(`The mail gateway answered with status ${String(status)}.`);
  }

  #post(body: string, { idempotencyKey, signal }: Attempt): Promise<number> {
    const headers = { 'idempotency-key': idempotencyKey, 'content-length': Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      request(new URL('/mails', this.#access.url), { method: 'POST', agent: this.#agent, headers, signal })
        .once('error', reject)
        .once('response', (response) => {
          response
            .resume()
            .once('error', reject)
            .once('end', () => resolve(response.statusCode as number));
        })
        .end(body);
    });
  }
}
