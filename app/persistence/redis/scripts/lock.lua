-- Let one owner at a time have a thread, in the order in which they asked. KEYS: a hash, owner -> its number and
-- until when it counts, in ms. ARGV: owner, for how many ms, 'once' (no place in the queue), 'queue' or 'renew'.
-- Returns how many come first: 0 has the thread. A renewal that comes too late returns -1.
local lock, me, length, manner = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3]
local KEPT = 3600000 -- an owner that stands still for longer has lost the thread in any case
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function set(owner, number, till)
  redis.call('HSET', lock, owner, string.format('%.0f %.0f', number, till))
end

local mine, last, others = nil, 0, {}
local all = redis.call('HGETALL', lock)
for i = 1, #all, 2 do
  local number, till = string.match(all[i + 1], '(%d+) (%d+)')
  number, till = tonumber(number), tonumber(till)
  last = math.max(last, number)
  if all[i] == me then
    mine = number
  elseif till <= now then
    redis.call('HDEL', lock, all[i])
  else
    if till > now + length then -- the clock went back
      set(all[i], number, now + length)
    end
    others[#others + 1] = number
  end
end
if manner == 'renew' and not mine then
  return -1
end
mine = mine or last + 1
local ahead = 0
for _, number in ipairs(others) do
  ahead = ahead + (number < mine and 1 or 0)
end
if ahead == 0 or manner ~= 'once' then
  set(me, mine, now + length)
  redis.call('PEXPIRE', lock, KEPT)
end
return ahead
