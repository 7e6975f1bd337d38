// Backend: the one place that says where the jobs of the replay live.

import type { Backend } from '@carillon/core';
import { embedded } from '@carillon/embedded';

/** The backend that the shop and the workers share. */
export function backend(folder: string): Backend {
  return embedded(folder);
}
