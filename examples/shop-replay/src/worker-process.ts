// A worker as a process of its own: runs the decorated tasks, with their services from a container.

import 'reflect-metadata';
import { Carillon } from '@carillon/core';
import { fromContainer } from '@carillon/decorators';
import { Container } from 'inversify';
import { AskForReview } from './ask-for-review.js';
import { backend, type BackendSetting } from './backend.js';
import type { LostLease } from './evidence.js';
import { GATEWAY_ACCESS, type GatewayAccess, MailGateway } from './mail-gateway.js';
import { settingFromParent, stopAsked, tellParent } from './parent.js';
import { terseLogger } from './terse-logger.js';
import { WinBack } from './win-back.js';

/** What a worker is started with. */
export interface WorkerSetting extends GatewayAccess {
  readonly backend: BackendSetting;
}

/** What a worker tells; the first of them makes it ready. */
export type WorkerNews = { readonly lost?: LostLease };

const { backend: setting, url, worker } = settingFromParent() as WorkerSetting;
const container = new Container();
container.bind<GatewayAccess>(GATEWAY_ACCESS).toConstantValue({ url, worker });
container.bind(MailGateway).toSelf().inSingletonScope();

const carillon = new Carillon({
  backend: backend(setting),
  tasks: fromContainer(container, [AskForReview, WinBack]),
  name: worker,
  logger: terseLogger(),
});
carillon.on('lease:lost', ({ id }) => tellParent({ lost: { worker, jobId: id } } satisfies WorkerNews));
await carillon.start();

tellParent({} satisfies WorkerNews);
await stopAsked();
await carillon.stop();
process.exit();
