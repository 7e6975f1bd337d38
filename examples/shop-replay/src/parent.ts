// Parent: what a process of the replay knows of the one that started it.
//
// C1  A child ends with its parent, however the parent ends.

/** What the parent was started with for this process; also ties this process to its parent (C1). */
export function settingFromParent(): unknown {
  process.on('disconnect', () => process.exit(1));
  process.on('SIGINT', () => {}); // a terminal sends it to all; the parent decides what it means
  return JSON.parse(process.argv[2] as string);
}

/** Tells the parent something. */
export function tellParent(message: object): void {
  process.send?.(message);
}

/** Resolves when the parent says that it is time to stop. */
export function stopAsked(): Promise<void> {
  return new Promise((resolve) => process.once('message', () => resolve()));
}
