// Renew: prolongs leases, in place. It may be done when memory is out: what was begun can go on.
//
// For each renewal a key and, in the one argument, what it asks (fence, leaseMs). Answers version and end of each lease; nothing if it is lost.

import { PROLONG, RECORD } from './record.js';

/** The script of `Ledger.renew`. */
export const RENEW = `${RECORD}
local function renew(key, fence, leaseMs)
  local r = load(key)
  if not r or r.unreadable or r.mark or r.fence ~= fence then return '' end
  open(r)
  if r.claim == '' then return '' end
  local old = { queue = r.queue, state = r.state, wakeAt = r.wakeAt, ends = r.ends, expiresAt = r.expiresAt }
  r.ends = math.max(r.ends, now + leaseMs)
  ${PROLONG}
  file(key, old, r)
  return struct.pack('<dd', r.version, r.ends)
end

local answers = {}
for i, key in ipairs(KEYS) do answers[i] = renew(key, struct.unpack('<dd', ARGV[1], 16 * i - 15)) end
return answers
`;
