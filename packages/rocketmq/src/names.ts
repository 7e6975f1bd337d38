// Names: which topic and which consumer group stand for a queue.
//
// N1  No two queues share a topic: what a topic's name can't hold is written so that it can be read back.

/** The topic of a queue, and its consumer group, which has the same name. */
export function topicOf(prefix: string, queue: string): string {
  return prefix + queue.replace(/[^A-Za-z0-9-]/g, escape); // N1
}

function escape(character: string): string {
  if (character === '_') return '__';
  if (character === '/') return '_-'; // between namespace and queue
  return `_x${character.codePointAt(0)?.toString(16) ?? ''}_`;
}
