// Options: what `redis` is told, resolved once.

import type { Clock } from '@carillon/core/spi';
import { CarillonError } from '@carillon/core/spi';
import type { ClusterNode, ClusterOptions, RedisOptions } from 'ioredis';
import type { Concern, Finding, Strictness } from './fitness.js';

/** Options of `redis`. */
export interface RedisLedgerOptions {
  /** One server, as `redis://user:password@host:port/db` or `rediss://…`. */
  readonly url?: string;
  /** What the client of each server is told: host and port, sentinels and name, user, password, TLS. */
  readonly client?: RedisOptions;
  /** Some nodes of a Cluster, by which the others are found. */
  readonly cluster?: readonly ClusterNode[];
  /** What the client of a Cluster is told beside `client`: retries, address maps. */
  readonly clusterClient?: ClusterOptions;
  /** Begins every key; apps and tenants that share a server have one each. Default `carillon`. */
  readonly prefix?: string;
  /** A grant or a durable change is answered only once it is on disk, and on so many replicas. */
  readonly strict?: boolean | { readonly replicas: number };
  /** Concerns for which the ledger does not refuse to start; each is warned of all the same. */
  readonly accept?: readonly Concern[];
  /** Hears what is doubtful about the servers at each start, of memory that is filling up, and of records that can't be read; by
   *  default it is a warning of the process. */
  readonly onFinding?: (finding: Finding) => void;
  /** How many marks of on-claim jobs are kept at a time, about: they are packed into hashes of a hundred, which costs time and
   *  saves four fifths of their memory. Without it each has a key of its own. */
  readonly packedMarks?: number;
  /** How long a call may take, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
  /** The only clock, instead of the server's: for tests in virtual time. */
  readonly clock?: Clock;
}

/** The servers of a ledger. */
type Server =
  | { readonly url: string | undefined; readonly options: RedisOptions }
  | { readonly cluster: readonly ClusterNode[]; readonly options: ClusterOptions };

/** Options as the ledger uses them. */
export interface ResolvedOptions {
  readonly server: Server;
  readonly prefix: string;
  readonly strict: Strictness | undefined;
  readonly accept: readonly Concern[];
  readonly onFinding: (finding: Finding) => void;
  readonly timeoutMs: number;
  readonly clock: Clock | undefined;
  /** Over how many hashes per bucket and period packed marks are spread; 0 leaves them plain. */
  readonly spread: number;
}

const LONGEST_PREFIX = 64;
const MARKS_PER_HASH = 90; // Redis keeps a hash of up to 128 small fields in one piece
const BUCKETS = 256;
const MOST_SPREAD = 0xffff;

/** Fills in what was left out; throws `E_OPTIONS` for what means nothing. */
export function resolveOptions(options: RedisLedgerOptions): ResolvedOptions {
  const { url, client = {}, cluster, clusterClient = {}, prefix = 'carillon', timeoutMs = 5_000 } = options;
  if (/[{}]/.test(prefix) || Buffer.byteLength(prefix) > LONGEST_PREFIX)
    throw refused(`The prefix ${JSON.stringify(prefix)} holds a brace or is too long.`, 'Take a short word.');
  if (cluster !== undefined && url !== undefined)
    throw refused('Both `url` and `cluster` say where the servers are.', 'Leave one of them out.');
  if (!Number.isFinite(timeoutMs) || timeoutMs <= 0)
    throw refused(`\`timeoutMs\` is ${timeoutMs}.`, 'Give a number of milliseconds above 0.');
  const strict = options.strict === true ? { replicas: 0 } : options.strict || undefined;
  if (strict !== undefined && (!Number.isInteger(strict.replicas) || strict.replicas < 0))
    throw refused(`\`strict.replicas\` is ${strict.replicas}.`, 'Give the number of replicas to wait for.');
  if (strict !== undefined && strict.replicas > 0 && cluster !== undefined)
    throw refused(
      'A Cluster can’t be waited for replica by replica.',
      'Take strict: true, and appendfsync always on every node.',
    );
  const server: Server =
    cluster === undefined
      ? { url, options: client }
      : { cluster, options: { ...clusterClient, redisOptions: { ...clusterClient.redisOptions, ...client } } };
  const { accept = [], onFinding = warn, clock, packedMarks = 0 } = options;
  if (!Number.isFinite(packedMarks) || packedMarks < 0)
    throw refused(`\`packedMarks\` is ${packedMarks}.`, 'Say how many marks there will be, about.');
  const spread = Math.min(Math.ceil(packedMarks / BUCKETS / MARKS_PER_HASH), MOST_SPREAD);
  return { server, prefix, strict, accept, onFinding, timeoutMs, clock, spread };
}

function warn({ concern, message, next }: Finding): void {
  process.emitWarning(`${message} ${next}`, { type: 'CarillonWarning', code: `redis: ${concern}` });
}

function refused(message: string, next: string): CarillonError {
  return new CarillonError('E_OPTIONS', message, { next });
}
