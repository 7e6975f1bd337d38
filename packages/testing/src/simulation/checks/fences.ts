// Fences: a set of attempts, each told by its job and its fence.

/** Attempts of jobs, by their fences. */
export class Fences {
  readonly #jobs = new Map<string, number[]>();

  /** Takes an attempt in; false if it was there. */
  add(jobId: string, fence: number): boolean {
    const fences = this.#jobs.get(jobId);
    if (fences?.includes(fence) === true) return false;
    if (fences === undefined) this.#jobs.set(jobId, [fence]);
    else fences.push(fence);
    return true;
  }

  /** Whether an attempt is among them. */
  has(jobId: string, fence: number): boolean {
    return this.#jobs.get(jobId)?.includes(fence) === true;
  }
}
