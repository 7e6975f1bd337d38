// Replay: lets a shop live through its history while workers are killed, and gathers what everybody wrote down.
//
// R1  A worker is killed a third of the way in, all of them at two thirds, and they are started again at once.
// R2  At the end everything that is due gets its time, as does the second attempt of what a kill interrupted, and a
//     moment more, in which a further repeat would show.
// R3  Redis is killed a quarter of the way in and RocketMQ at five twelfths, if they are part of it and were started for
//     it; no other kill comes before they are back, since a worker can't start without them.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Acceptance, type Answer, DAYS } from './evidence.js';
import type { GatewayNews, GatewaySetting } from './gateway-process.js';
import { readJournal } from './journal.js';
import { type Evidence, judge } from './judge.js';
import type { Processes } from './processes.js';
import type { Progress } from './progress.js';
import { readPurchases } from './purchases.js';
import { type Halves, Servers } from './servers.js';
import type { ShopNews, ShopSetting } from './shop-process.js';
import { type Crash, Workers } from './workers.js';

/** How a replay is to go. */
export interface ReplayOptions extends Halves {
  /** A CSV file of purchases. */
  readonly input: string;
  readonly dayMs: number;
  readonly workers: number;
  /** Where the store and the journals go. */
  readonly folder: string;
}

/** What a replay leaves behind. */
export interface Replayed {
  readonly evidence: Evidence;
  readonly restarts: number;
  readonly serverRestarts: number;
}

const PATIENCE_MS = { embedded: 20_000, real: 90_000 }; // without a single mail
const REPEATS_SHOW_MS = { embedded: 1_000, real: 5_000 };
const MEET_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 250;

/** Replays a history. Throws what is wrong with the input, or that a process failed. */
export async function replay(options: ReplayOptions, processes: Processes, progress: Progress): Promise<Replayed> {
  const { input, dayMs, folder } = options;
  const effects = join(folder, 'effects.jsonl');
  const answers = join(folder, 'answers.jsonl');
  const purchases = await readPurchases(input);

  const gatewaySetting: GatewaySetting = { effects };
  const [gateway, { url }] = await processes.start<GatewayNews>('gateway', './gateway-process.js', gatewaySetting);
  const servers = await Servers.start(options, folder, (line) => progress.note(line));
  const workers = new Workers(processes, gateway, { backend: servers.setting, url });
  await workers.start(options.workers);
  const shopSetting: ShopSetting = { backend: servers.setting, input, answers, dayMs };
  const [shop, { openedAt }] = await processes.start<ShopNews>('shop', './shop-process.js', shopSetting);

  const days = (purchases.at(-1)?.day ?? 0) + DAYS['win-back'];
  const reached = (day: number): Promise<void> => sleep(Math.max(0, openedAt + day * dayMs - Date.now()));
  const over = reached(days);
  shop.onNews(({ served }) => progress.update({ served }));
  gateway.onNews(({ sent }) => progress.update({ sent }));
  progress.begin({ openedAt, days, dayMs, firstDate: purchases[0]?.date ?? '', purchases: purchases.length });
  const done = shop.news((news) => news.done);

  const interrupted: Acceptance[] = [];
  const note = (crash: Crash): void => {
    progress.note(told(crash));
    if (crash.unanswered !== undefined) interrupted.push(crash.unanswered);
  };
  await reached(days / 4);
  await servers.crashRedis(); // R3
  await reached(days / 3);
  note(await workers.crash(1, over)); // R1
  await reached((days * 5) / 12);
  await servers.crashRocketmq(); // R3
  await reached((days * 2) / 3);
  note(await workers.crash(options.workers, Promise.all([over, sleep(MEET_WITHIN_MS)])));

  await Promise.all([over, done]);
  progress.end();

  const gather = async (): Promise<Evidence> => ({
    purchases,
    answers: await readJournal<Answer>(answers),
    acceptances: await readJournal<Acceptance>(effects),
    kills: workers.kills,
    lostLeases: workers.lostLeases,
  });
  let mails = 0;
  const kind = servers.real ? 'real' : 'embedded';
  let giveUpAt = Date.now() + PATIENCE_MS[kind];
  gateway.onNews(({ sent }) => {
    if (sent > mails) giveUpAt = Date.now() + PATIENCE_MS[kind];
    mails = sent;
  });
  while (!isOver(await gather(), interrupted) && Date.now() < giveUpAt) await sleep(LOOK_EVERY_MS); // R2
  await sleep(REPEATS_SHOW_MS[kind]);

  await Promise.all([shop.stop(), workers.stop()]);
  await Promise.all([gateway.stop(), servers.stop()]);
  return { evidence: await gather(), restarts: workers.restarts, serverRestarts: servers.restarts };
}

/** Whether every mail went out, and every interrupted job had its second attempt. */
function isOver(evidence: Evidence, interrupted: readonly Acceptance[]): boolean {
  const repeated = (one: Acceptance): boolean =>
    evidence.acceptances.some((other) => other.absorbed && other.kind === one.kind && other.row === one.row);
  return judge(evidence).lost.length === 0 && interrupted.every(repeated);
}

function told({ workers, unanswered }: Crash): string {
  const killed = `SIGKILL to ${workers.join(' and ')}`;
  return unanswered === undefined
    ? `${killed}; no request was under way.`
    : `${killed}, while ${unanswered.worker} waited for the answer to ${unanswered.idempotencyKey}, which was accepted.`;
}
