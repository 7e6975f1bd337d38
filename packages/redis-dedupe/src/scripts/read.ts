// Read: records as they stand, without those whose retention has ended.

import { RECORD } from './record.js';

/** The script of `Ledger.read`. */
export const READ = `${RECORD}
local answers = {}
for i, key in ipairs(KEYS) do
  local r = load(key)
  answers[i] = r and r.value or ''
end
return answers
`;
