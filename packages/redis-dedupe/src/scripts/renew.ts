// Renew: prolongs leases, in place. It may be done when memory is out: what was begun can go on.
//
// For each renewal a key, and what it asks (fence, leaseMs). Answers version and end of each lease; nothing if it is lost.

import { PROLONG, RECORD } from './record.js';

/** The script of `Ledger.renew`. */
export const RENEW = `${RECORD}
local function renew(key, ask)
  local fence, leaseMs = struct.unpack('<dd', ask)
  local r = load(key)
  if not r or r.claim == '' or r.fence ~= fence then return '' end
  local old = { queue = r.queue, state = r.state, wakeAt = r.wakeAt, ends = r.ends, expiresAt = r.expiresAt }
  r.ends = math.max(r.ends, now + leaseMs)
  ${PROLONG}
  file(key, old, r)
  return struct.pack('<dd', r.version, r.ends)
end

local answers = {}
for i, key in ipairs(KEYS) do answers[i] = renew(key, ARGV[i]) end
return answers
`;
