// The mail gateway as a process of its own.

import type { Acceptance } from './evidence.js';
import { GatewayServer } from './gateway-server.js';
import { Journal } from './journal.js';
import { settingFromParent, tellParent } from './parent.js';

/** What the gateway is started with. */
export interface GatewaySetting {
  readonly effects: string;
}

/** What the gateway tells; the first of them makes it ready. */
export interface GatewayNews {
  readonly url: string;
  readonly sent: number;
  /** The request whose answer is held back, as it was asked to. */
  readonly held?: Acceptance;
}

/** What the gateway is asked: to hold back the answer to a review of one of these workers, or to stop. */
export type GatewayOrder = { readonly hold: readonly string[] } | 'stop';

const NEWS_EVERY_MS = 100;

const { effects } = settingFromParent() as GatewaySetting;
const gateway = new GatewayServer(await Journal.open<Acceptance>(effects));
const url = await gateway.listen();
const tell = (more: { held?: Acceptance } = {}): void =>
  tellParent({ url, sent: gateway.sent, ...more } satisfies GatewayNews);

process.on('message', (order: GatewayOrder) => {
  if (order === 'stop') process.exit();
  else void gateway.hold(order.hold).then((held) => tell({ held }));
});
tell();
setInterval(tell, NEWS_EVERY_MS);
