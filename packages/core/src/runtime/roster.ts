// Roster: who is there now, in no order. Coming and going costs no search.
//
// R1  Nothing is kept of who has left. The old tables of a Map or a Set hold what once stood in them, and so whole jobs,
//     until the next full garbage collection.

/** What can stand on one roster. */
export interface Member {
  /** Where it stands; −1 while it does not. The roster's to change. */
  place: number;
}

/** Members that come and go. */
export class Roster<T extends Member> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(member: T): void {
    member.place = this.#members.push(member) - 1;
  }

  /** Takes a member off; false if it was not there. */
  remove(member: T): boolean {
    const { place } = member;
    if (place < 0) return false;
    const last = this.#members.pop()!;
    if (last !== member) {
      this.#members[place] = last;
      last.place = place;
    }
    member.place = -1;
    return true;
  }

  /** Those who are there now, whatever becomes of them meanwhile. */
  all(): readonly T[] {
    return this.#members.slice();
  }

  clear(): void {
    for (const member of this.#members.splice(0)) member.place = -1;
  }
}
