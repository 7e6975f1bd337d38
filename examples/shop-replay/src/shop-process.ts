// The shop as a process of its own: replays the purchases, a day every so many milliseconds.

import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { Carillon } from '@carillon/core';
import { backend, type BackendSetting } from './backend.js';
import type { Answer } from './evidence.js';
import { Journal } from './journal.js';
import { settingFromParent, stopAsked, tellParent } from './parent.js';
import { readPurchases } from './purchases.js';
import { Shop } from './shop.js';
import { terseLogger } from './terse-logger.js';

/** What the shop is started with. */
export interface ShopSetting {
  readonly backend: BackendSetting;
  readonly input: string;
  readonly answers: string;
  readonly dayMs: number;
}

/** What the shop tells; the first of them, when it opens, makes it ready. */
export interface ShopNews {
  /** When the first day began, in milliseconds since 1970. */
  readonly openedAt: number;
  readonly served: number;
  /** Every purchase has its answers. */
  readonly done: boolean;
}

const NEWS_EVERY_MS = 100;

const { backend: setting, input, answers, dayMs } = settingFromParent() as ShopSetting;
const purchases = await readPurchases(input);
const carillon = new Carillon({ backend: backend(setting), name: 'shop', logger: terseLogger() });
const shop = new Shop({ carillon, answers: await Journal.open<Answer>(answers), dayMs });
await carillon.start();

const openedAt = Date.now();
const tell = (done: boolean): void => tellParent({ openedAt, served: shop.served, done } satisfies ShopNews);
tell(false);
const news = setInterval(() => tell(false), NEWS_EVERY_MS);

const sales: Promise<void>[] = [];
for (const purchase of purchases) {
  const waitMs = openedAt + purchase.day * dayMs - Date.now();
  if (waitMs > 0) await sleep(waitMs);
  sales.push(shop.sell(purchase));
}
await Promise.all(sales);

clearInterval(news);
tell(true);
await stopAsked();
await carillon.stop();
process.exit();
