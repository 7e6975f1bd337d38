// Gateway server: what a real mail service does with requests.
//
// G1  An accepted request is on disk before it is answered.
// G2  Of the requests with one idempotency key the first is sent; the others are absorbed, and written down as well.
// G3  On demand it holds one answer back, so that a worker can be killed between accept and answer.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Acceptance, MailRequest } from './evidence.js';
import type { Journal } from './journal.js';

/** A demand for the next answer to one of some workers. */
interface Hold {
  readonly workers: readonly string[];
  readonly held: (acceptance: Acceptance) => void;
}

/** The gateway. */
export class GatewayServer {
  readonly #effects: Pick<Journal<Acceptance>, 'append'>;
  readonly #sent = new Set<string>();
  readonly #server: Server;
  #hold: Hold | undefined;

  constructor(effects: Pick<Journal<Acceptance>, 'append'>) {
    this.#effects = effects;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
    this.#server.keepAliveTimeout = 0; // a worker's idle connection stays, so that none is closed under a request
  }

  /** How many mails went out. */
  get sent(): number {
    return this.#sent.size;
  }

  /** Listens on loopback; resolves with the address. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** Ends every connection. */
  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /**
   * Never answers the next request for a review of one of these workers; resolves when it is accepted and on disk (G3).
   * A review is sure to have another attempt; a win-back may be replaced first.
   */
  hold(workers: readonly string[]): Promise<Acceptance> {
    return new Promise((resolve) => (this.#hold = { workers, held: resolve }));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const idempotencyKey = request.headers['idempotency-key'];
    const body = await text(request);
    if (request.method !== 'POST' || request.url !== '/mails' || typeof idempotencyKey !== 'string') {
      response.writeHead(400).end('POST /mails with an idempotency-key');
      return;
    }

    const mail = JSON.parse(body) as MailRequest;
    const absorbed = this.#sent.has(idempotencyKey);
    this.#sent.add(idempotencyKey); // G2
    const acceptance: Acceptance = { ...mail, at: Date.now(), idempotencyKey, absorbed };
    const hold = this.#hold;
    const withheld = hold?.workers.includes(mail.worker) === true && mail.kind === 'review' && !absorbed;
    if (withheld) this.#hold = undefined;

    await this.#effects.append(acceptance); // G1
    if (withheld) hold.held(acceptance);
    else response.writeHead(absorbed ? 200 : 202).end();
  }
}
