// Expire: removes what has expired in buckets in which nothing is written.
//
// For each bucket its index by expiry.

import { EXPIRE as REMOVE, RECORD } from './record.js';

const MOST = 32;

/** The script that each look for due records begins with. */
export const EXPIRE = `${RECORD}${REMOVE}
for _, key in ipairs(KEYS) do expire(string.sub(key, 1, -3), ${MOST}) end
return {}
`;
