// Acquire: judges claims, one after another, by Redis' own clock.
//
// For each claim a key and, in the one argument, what it asks: generation, leaseMs, nonce, holder, and the record that it
// would start, or nothing. Answers for each claim one letter, and the time and the record that stands there; but N, the time
// and the fence for a record that the claim started, and U and the value for one that can't be read.

import { RECORD } from './record.js';

/** The script of `Ledger.acquire`. */
export const ACQUIRE = `${RECORD}
local at = struct.pack('<d', now)

local function judge(key, generation, leaseMs, nonce, holder, create)
  local before = load(key)
  local r = before
  if not r then
    if create == '' then return 'A' end
    r = decode(create)
  end
  if r.unreadable then return 'U' .. r.value end
  if not r.mark then open(r) end
  local answer
  if r.wakeAt == never then answer = 'S'
  elseif generation < r.generation then answer = 'T'
  elseif r.claim == nonce then answer = 'G'
  elseif r.dueAt > now then answer = 'E'
  elseif r.claim ~= '' and r.ends > now then answer = 'B'
  end
  if answer then
    if not before then write(key, nil, r) end
    return answer .. at .. r.value
  end
  local old = before and { queue = r.queue, state = r.state, wakeAt = r.wakeAt, ends = r.ends, expiresAt = r.expiresAt }
  if r.claim ~= '' then
    r.past = r.past .. struct.pack('<ddHc0Hc0', r.since, r.ends, #r.claim, r.claim, #r.holder, r.holder)
  end
  r.version, r.fence = r.version + 1, math.max(r.fence + 1, us)
  r.since, r.ends, r.claim, r.holder = now, now + leaseMs, nonce, holder
  encode(r)
  write(key, old, r)
  return old and 'G' .. at .. r.value or 'N' .. struct.pack('<dd', now, r.fence)
end

local answers, place, asks = {}, 1, ARGV[1]
for i, key in ipairs(KEYS) do
  local generation, leaseMs, nonce, holder, create
  generation, leaseMs, nonce, holder, create, place = struct.unpack('<ddHc0Hc0I4c0', asks, place)
  answers[i] = judge(key, generation, leaseMs, nonce, holder, create)
end
return answers
`;
