-- Remove a thread, and its lock: KEYS[3]. Returns its hashed run ids. A damaged thread can be removed too.
local runs = all_runs(function(member)
  return redis.call('HGET', H, 'c' .. member)
end)
redis.call('UNLINK', unpack(KEYS))
return runs
