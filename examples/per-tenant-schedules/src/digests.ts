// Digests: each tenant chooses when its digest comes, in its own time zone.

import { type Carillon, defineTask, implement, type TaskDefinition } from '@carillon/core';

/** What is sent to a tenant. */
const sendDigest = defineTask<{ tenant: string }>('send-digest', { retry: { for: '2h' } });

/** A tenant, and when it wants its digest. */
export interface Tenant {
  readonly id: string;
  readonly at: `${number}:${number}`;
  readonly timezone: string;
}

/** The handler: writes down what it sent. */
export function digests(sent: string[]): TaskDefinition {
  return implement(sendDigest, ({ tenant }, { occurrence }) => {
    sent.push(`${tenant} ${occurrence?.slot.toISOString().slice(11, 16) ?? ''}`);
  });
}

/** Puts a tenant's schedule in place; called at sign-up and whenever the tenant changes its mind. */
export async function wants(app: Carillon, { id, at, timezone }: Tenant): Promise<string> {
  const [hour, minute] = at.split(':').map(Number);
  const spec = { cron: `${String(minute)} ${String(hour)} * * *`, timezone, spread: '2m' } as const;
  return (await app.schedules.put(`digest:${id}`, sendDigest, spec, { tenant: id })).outcome;
}
