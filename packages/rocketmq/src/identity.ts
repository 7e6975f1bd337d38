// Identity: what every call says of its client: who it is, and that it knows the secret.

import { createHmac } from 'node:crypto';
import { Metadata } from '@grpc/grpc-js';
import type { Clock } from '@carillon/core/spi';
import type { Credentials } from './credentials.js';

/** Who calls. */
export class Identity {
  readonly clientId: string;
  readonly #credentials: Credentials | undefined;
  readonly #clock: Pick<Clock, 'now'>;
  #metadata: Metadata | undefined;
  #signedAt = '';

  constructor(clientId: string, credentials: Credentials | undefined, clock: Pick<Clock, 'now'>) {
    this.clientId = clientId;
    this.#credentials = credentials;
    this.#clock = clock;
  }

  /** The headers of a call; the signature is of the second, so one serves many calls. */
  sign(): Metadata {
    const dateTime = `${new Date(this.#clock.now()).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
    if (this.#metadata !== undefined && dateTime === this.#signedAt) return this.#metadata;
    const metadata = new Metadata();
    metadata.set('x-mq-protocol', 'v2');
    metadata.set('x-mq-client-id', this.clientId);
    metadata.set('x-mq-language', 'HTTP'); // brokers know no language of this name's kind that fits better
    metadata.set('x-mq-client-version', '5.0.0');
    metadata.set('x-mq-date-time', dateTime);
    const keys = this.#credentials;
    if (keys !== undefined) {
      if (keys.securityToken !== undefined) metadata.set('x-mq-session-token', keys.securityToken);
      const signature = createHmac('sha1', keys.accessSecret).update(dateTime).digest('hex').toUpperCase();
      const scope = `Credential=${keys.accessKey}, SignedHeaders=x-mq-date-time, Signature=${signature}`;
      metadata.set('authorization', `MQv2-HMAC-SHA1 ${scope}`);
    }
    this.#metadata = metadata;
    this.#signedAt = dateTime;
    return metadata;
  }
}
