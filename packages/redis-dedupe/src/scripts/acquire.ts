// Acquire: judges claims, one after another, by Redis' own clock.
//
// For each claim a key, what it asks (generation, leaseMs, nonce, holder), and the record that it would start, or nothing.
// Answers for each claim one letter, the time, and the record.

import { RECORD } from './record.js';

/** The script of `Ledger.acquire`. */
export const ACQUIRE = `${RECORD}
local at = struct.pack('<d', now)

local function judge(key, ask, create)
  local generation, leaseMs, nonce, holder = struct.unpack('<ddHc0Hc0', ask)
  local before = load(key)
  local r = before
  if not r then
    if create == '' then return 'A' end
    r = decode(create)
  end
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
  write(key, old, r)
  return 'G' .. at .. r.value
end

local answers = {}
for i, key in ipairs(KEYS) do answers[i] = judge(key, ARGV[2 * i - 1], ARGV[2 * i]) end
return answers
`;
