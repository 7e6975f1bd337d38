// Model ledger: what the ledger port says, told once more in the fewest words, to compare adapters with.
//
// It knows no time: a record is due or not, a lease lives or has ended. It shares no code with any adapter.

/** What the model keeps of a record. Grants are numbered through, in place of fences. */
export interface ModelRecord {
  readonly version: number;
  readonly grant: number;
  readonly generation: number;
  readonly settled: boolean;
  readonly due: boolean;
  readonly outbox: readonly string[];
  readonly lease: ModelLease | undefined;
  readonly interrupted: readonly string[];
  /** The nonce of the last change that wrote it. */
  readonly nonce: string;
}

interface ModelLease {
  readonly nonce: string;
  readonly lives: boolean;
}

/** What a put says. */
export type ModelContent = Pick<ModelRecord, 'generation' | 'settled' | 'due' | 'outbox'>;

/** What a write asks for; `grant` stands for the fence of that grant. */
export type ModelExpectation =
  | { absent: true }
  | { any: true }
  | { version: number }
  | { version: number; grant: number };

/** One step of a change. */
export type ModelWrite =
  | { do: 'put'; id: string; expect: ModelExpectation; content: ModelContent; keepLease: boolean }
  | { do: 'remove' | 'check'; id: string; expect: ModelExpectation }
  | { do: 'sent'; id: string; messages: readonly string[] };

/** One call, with one request. */
export type ModelCommand =
  | { call: 'acquire'; id: string; nonce: string; generation: number; lives: boolean; create?: ModelContent }
  | { call: 'renew'; id: string; grant: number }
  | { call: 'commit'; nonce: string; writes: readonly ModelWrite[] };

/** The ledger port in one page. */
export class ModelLedger {
  records = new Map<string, ModelRecord>();
  grants = 0;

  /** Performs a command and answers with one word. */
  perform(command: ModelCommand): string {
    if (command.call === 'acquire') return this.#acquire(command);
    if (command.call === 'renew') return this.#renew(command);
    return this.#commit(command);
  }

  #acquire(claim: ModelCommand & { call: 'acquire' }): string {
    const { id, nonce, create } = claim;
    if (!this.records.has(id) && create) this.records.set(id, { ...fresh(create, nonce), version: 1 });
    const record = this.records.get(id);
    if (record === undefined) return 'absent';
    if (record.settled) return 'settled';
    if (claim.generation < record.generation) return 'stale';
    if (record.lease?.nonce === nonce) return 'granted';
    if (!record.due) return 'early';
    if (record.lease?.lives) return 'busy';
    this.grants += 1;
    const version = record.version + 1;
    const interrupted = record.lease ? [...record.interrupted, record.lease.nonce] : record.interrupted;
    this.records.set(id, { ...record, version, interrupted, grant: this.grants, lease: { nonce, lives: claim.lives } });
    return 'granted';
  }

  #renew({ id, grant }: ModelCommand & { call: 'renew' }): string {
    const record = this.records.get(id);
    if (record?.lease === undefined || record.grant !== grant) return 'lost';
    this.records.set(id, { ...record, lease: { ...record.lease, lives: true } });
    return 'ok';
  }

  #commit({ nonce, writes }: ModelCommand & { call: 'commit' }): string {
    if (writes.some((write) => write.do === 'put' && this.records.get(write.id)?.nonce === nonce)) return 'ok';
    const before = new Map(this.records);
    for (const write of writes) {
      const answer = this.#write(write, nonce);
      if (answer === 'ok') continue;
      this.records = before;
      return answer;
    }
    return 'ok';
  }

  #write(write: ModelWrite, nonce: string): string {
    const record = this.records.get(write.id);
    if (write.do === 'sent') {
      const outbox = record?.outbox.filter((message) => !write.messages.includes(message)) ?? [];
      if (record) this.records.set(write.id, { ...record, outbox });
      return 'ok';
    }
    const { expect } = write;
    if ('absent' in expect && record) return 'conflict';
    if ('grant' in expect && record?.grant !== expect.grant) return 'lost';
    if ('version' in expect && record?.version !== expect.version) return 'conflict';
    if (write.do === 'remove') this.records.delete(write.id);
    if (write.do === 'put') {
      const old = record ?? fresh(write.content, nonce);
      const resolved = 'grant' in expect && !write.keepLease;
      const lease = resolved ? undefined : old.lease;
      const interrupted = resolved ? [] : old.interrupted;
      this.records.set(write.id, { ...old, ...write.content, version: old.version + 1, lease, interrupted, nonce });
    }
    return 'ok';
  }
}

function fresh(content: ModelContent, nonce: string): ModelRecord {
  return { ...content, version: 0, grant: 0, lease: undefined, interrupted: [], nonce };
}
