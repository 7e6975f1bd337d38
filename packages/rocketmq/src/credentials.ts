// Credentials: who a client is, for a broker with access control.

import { createHmac } from 'node:crypto';

/** Who a client is, for a broker with access control. */
export interface Credentials {
  readonly accessKey: string;
  readonly accessSecret: string;
  readonly securityToken?: string;
}

/** What the environment says: `ROCKETMQ_ACCESS_KEY` and `ROCKETMQ_ACCESS_SECRET`, as options to be spread; none without both. */
export function environmentCredentials(environment: Readonly<Record<string, string | undefined>> = process.env): {
  readonly credentials?: Credentials;
} {
  const { ROCKETMQ_ACCESS_KEY: accessKey, ROCKETMQ_ACCESS_SECRET: accessSecret } = environment;
  return accessKey && accessSecret ? { credentials: { accessKey, accessSecret } } : {};
}

/** The fields of an administrative request, signed: over their values in the order of their names, and the body. */
export function signedFields(
  fields: Readonly<Record<string, string>>,
  body: Buffer,
  { accessKey, accessSecret, securityToken }: Credentials,
): Record<string, string> {
  const named: Record<string, string> = { ...fields, AccessKey: accessKey };
  if (securityToken !== undefined) named['SecurityToken'] = securityToken;
  const signature = createHmac('sha1', accessSecret);
  for (const name of Object.keys(named).toSorted()) signature.update(named[name] ?? '');
  return { ...named, Signature: signature.update(body).digest('base64') };
}
