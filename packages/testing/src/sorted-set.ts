// Sorted set: items in order, cheap to add, to remove and to walk from any place, also with 100,000 of them.
//
// S1  Chunks are never empty, and their items follow one another in the order of `compare`.
// S2  What comes after all others is added at the cost of one comparison.

const LONGEST_CHUNK = 512;

/** Items in the order of a comparison that calls no two different items equal. */
export class SortedSet<T> {
  readonly #compare: (a: T, b: T) => number;
  readonly #chunks: T[][] = [];
  #size = 0;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#size;
  }

  /** The least item, if there is any. */
  get first(): T | undefined {
    return this.#chunks[0]?.[0];
  }

  /** Adds an item; nothing happens if an equal one is there. */
  add(item: T): void {
    if (this.#append(item)) return;
    const at = Math.max(0, Math.min(this.#chunkOf(item), this.#chunks.length - 1));
    const chunk = (this.#chunks[at] ??= []);
    const place = this.#placeOf(item, chunk);
    if (place < chunk.length && this.#compare(chunk[place]!, item) === 0) return;
    chunk.splice(place, 0, item);
    this.#size += 1;
    if (chunk.length > LONGEST_CHUNK) this.#chunks.splice(at + 1, 0, chunk.splice(LONGEST_CHUNK / 2));
  }

  /** Puts an item in the place of the one that is equal to it; adds it if there is none. */
  replace(item: T): void {
    if (this.#append(item)) return;
    const chunk = this.#chunks[this.#chunkOf(item)];
    const place = chunk === undefined ? 0 : this.#placeOf(item, chunk);
    if (chunk !== undefined && place < chunk.length && this.#compare(chunk[place]!, item) === 0) chunk[place] = item;
    else this.add(item);
  }

  /** Removes the item that is equal to this one; says whether there was one. */
  delete(item: T): boolean {
    const at = this.#chunkOf(item);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return false;
    const place = this.#placeOf(item, chunk);
    if (place === chunk.length || this.#compare(chunk[place]!, item) !== 0) return false;
    chunk.splice(place, 1);
    this.#size -= 1;
    if (chunk.length === 0) this.#chunks.splice(at, 1); // S1
    return true;
  }

  /** Walks the items in order, without those at the front that are `before`. Do not change the set on the way. */
  *from(before: (item: T) => boolean): Generator<T, void, undefined> {
    const start = this.#chunkFor(before);
    for (let at = start; at < this.#chunks.length; at += 1) {
      const chunk = this.#chunks[at]!;
      for (let place = at === start ? firstNot(chunk, before) : 0; place < chunk.length; place += 1)
        yield chunk[place]!;
    }
  }

  [Symbol.iterator](): Generator<T, void, undefined> {
    return this.from(() => false);
  }

  /** Adds an item that stands after all others; false if it does not (S2). */
  #append(item: T): boolean {
    const chunk = this.#chunks.at(-1);
    if (chunk === undefined || chunk.length === LONGEST_CHUNK) return false;
    if (this.#compare(chunk[chunk.length - 1]!, item) >= 0) return false;
    chunk.push(item);
    this.#size += 1;
    return true;
  }

  /** The first chunk whose last item does not stand before this one. */
  #chunkOf(item: T): number {
    const chunks = this.#chunks;
    let low = 0;
    let high = chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const chunk = chunks[middle]!;
      if (this.#compare(chunk[chunk.length - 1]!, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first place in a chunk whose item does not stand before this one. */
  #placeOf(item: T, chunk: readonly T[]): number {
    let low = 0;
    let high = chunk.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(chunk[middle]!, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first chunk whose last item is not `before`. */
  #chunkFor(before: (item: T) => boolean): number {
    return firstNot(this.#chunks, (chunk) => before(chunk[chunk.length - 1]!));
  }
}

/** The index of the first item that is not `before`; the array's length if all are. */
function firstNot<T>(items: readonly T[], before: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (before(items[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}
