-- A thread as two DUMP payloads, its remaining time to live in ms (-1: for ever) and its hashed run ids.
if not current_epoch() then
  return {}
end
return { redis.call('DUMP', H), redis.call('DUMP', Z), redis.call('PTTL', H), all_runs(get_row) }
