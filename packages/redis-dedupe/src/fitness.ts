// Fitness: whether a server can keep what a ledger must keep.
//
// F1  What would lose records silently is refused, unless it is accepted by name; then it is warned of at every start.
// F2  What could not be looked at is unverified, and never passes for fine.
// F3  A judgement is a pure function of what was seen.

/** What may be wrong with a server. */
export type Concern =
  /** Too old for the scripts. */
  | 'version'
  /** Nothing can be written to a replica. */
  | 'replica'
  /** It may throw records away when its memory is full. */
  | 'eviction'
  /** It keeps no append-only file: a restart loses records. */
  | 'volatile'
  /** It flushes its file every second: a power cut loses what was answered in the last one. */
  | 'everysec'
  /** It answers before a replica knows: a failover loses what was answered last. */
  | 'lonely-writes'
  /** Its clock is far from this host's, or from that of another server of the Cluster. */
  | 'skew'
  /** It does not let itself be looked at. */
  | 'unverified'
  /** `strict` asks for what it can't do. */
  | 'strict'
  /** Most of the memory that it may use is in use. */
  | 'memory'
  /** It keeps a record that this version can't read: lists and the sweep leave it out. */
  | 'unreadable';

/** Something doubtful about a server. */
export interface Finding {
  readonly concern: Concern;
  readonly refused: boolean;
  readonly message: string;
  readonly next: string;
}

/** What a call waits for before it is answered. */
export interface Strictness {
  readonly replicas: number;
}

/** What was seen of a server; `undefined` where it did not tell. */
export interface Seen {
  readonly name: string;
  readonly product: 'Redis' | 'Valkey';
  readonly version: string | undefined;
  readonly role: string | undefined;
  readonly policy: string | undefined;
  readonly appendOnly: boolean | undefined;
  readonly appendFsync: string | undefined;
  readonly replicas: number | undefined;
  readonly minReplicas: number | undefined;
  /** How far its clock is ahead of this host's, in milliseconds. */
  readonly skewMs: number;
  readonly inCluster: boolean;
}

const MOST_SKEW_MS = 5_000;
const ALWAYS_OVERRIDABLE: readonly Concern[] = ['eviction', 'volatile', 'unverified'];

/** Judges a server; nothing is found about one that is fit. */
export function judge(seen: Seen, strict: Strictness | undefined, accept: readonly Concern[]): readonly Finding[] {
  const { name, product, version, role, policy, appendOnly, appendFsync, replicas, minReplicas, skewMs } = seen;
  const findings: Finding[] = [];
  const find = (concern: Concern, refused: boolean, message: string, next: string): void => {
    const accepted = accept.includes(concern) && ALWAYS_OVERRIDABLE.includes(concern);
    const override = refused && ALWAYS_OVERRIDABLE.includes(concern) ? ` Or accept it: accept: ['${concern}'].` : '';
    const how = accepted ? `${next} (Accepted: '${concern}'.)` : `${next}${override}`;
    findings.push({ concern, refused: refused && !accepted, message: `${name}: ${message}`, next: how });
  };

  if (version !== undefined && isOlder(version, product === 'Valkey' ? 7.2 : 7))
    find('version', true, `${product} ${version} is too old.`, 'Run Redis 7.0 or Valkey 7.2, or later.');
  if (role === 'slave')
    find('replica', true, 'it is a replica.', 'Name the primary, or give the Sentinels and let them name it.');
  if (policy !== undefined && policy !== 'noeviction')
    find('eviction', true, `maxmemory-policy is ${policy}, so records vanish when memory is full.`, 'Set noeviction.');
  if (appendOnly === false)
    find('volatile', true, 'it keeps no append-only file, so a restart loses records.', 'Set appendonly yes.');
  if (appendOnly === true && appendFsync === 'no')
    find('everysec', false, 'appendfsync is no: a power cut loses up to half a minute.', 'Set everysec or always.');
  if (appendFsync === 'everysec' && strict === undefined)
    find('everysec', false, 'appendfsync is everysec: a power cut loses up to a second.', 'Set always, or use strict.');
  if (replicas !== undefined && replicas > 0 && minReplicas === 0)
    find('lonely-writes', false, 'it writes alone when its replicas are away.', 'Set min-replicas-to-write to 1.');
  if (Math.abs(skewMs) > MOST_SKEW_MS)
    find('skew', false, `its clock is ${Math.round(skewMs)} ms ahead of this host's.`, 'Run a time service on both.');

  const unseen = Object.entries({ version, role, 'maxmemory-policy': policy, appendonly: appendOnly })
    .filter(([, value]) => value === undefined)
    .map(([what]) => what);
  if (unseen.length > 0) find('unverified', true, `it does not tell ${unseen.join(', ')}.`, 'Allow INFO to this user.');
  if (appendFsync === undefined && appendOnly !== false)
    find('unverified', false, 'it does not tell appendfsync.', 'Allow CONFIG GET to this user, or look yourself.');

  if (strict !== undefined && !flushesAlways(seen) && (seen.inCluster || !canWaitForDisk(seen)))
    find('strict', true, 'strict needs writes that are on disk.', whatStrictNeeds(seen));
  if (strict !== undefined && strict.replicas > (replicas ?? 0))
    find('strict', true, `strict asks for ${strict.replicas} replicas, and it has ${replicas ?? 0}.`, 'Add replicas.');
  return findings;
}

/** Judges servers of one ledger beside each other: each keeps the time of its own records. */
export function judgeTogether(seen: readonly Seen[]): readonly Finding[] {
  const skews = seen.map(({ skewMs }) => skewMs);
  const apartMs = Math.max(...skews) - Math.min(...skews);
  if (!(apartMs > MOST_SKEW_MS)) return [];
  const message = `The clocks of the servers are up to ${Math.round(apartMs)} ms apart.`;
  return [{ concern: 'skew', refused: false, message, next: 'Run a time service on all of them.' }];
}

/** Whether every write is on the server's disk before it is answered. */
export function flushesAlways({ appendOnly, appendFsync }: Seen): boolean {
  return appendFsync === 'always' && appendOnly !== false;
}

/** Whether the server can be asked to wait until a write is on disk (WAITAOF). */
export function canWaitForDisk({ version, appendOnly }: Seen): boolean {
  return appendOnly === true && version !== undefined && !isOlder(version, 7.2);
}

function whatStrictNeeds({ inCluster }: Seen): string {
  return inCluster
    ? 'Set appendfsync always on every node.'
    : 'Set appendfsync always, or run Redis 7.2 or Valkey 7.2 with appendonly yes, which can be waited for.';
}

function isOlder(version: string, least: number): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < Math.floor(least) || (major === Math.floor(least) && minor < Math.round((least % 1) * 10));
}
