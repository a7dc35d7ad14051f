-- A thread as two DUMP payloads, its remaining time to live in ms (-1: for ever) and its hashed run ids.
if not current_epoch() then
  return {}
end
local runs, seen = {}, {}
for _, member in ipairs(redis.call('ZRANGEBYLEX', Z, '[c', '(d')) do
  local _, run = parse_row(get_row(string.sub(member, 2)))
  if not seen[run] then
    seen[run] = true
    runs[#runs + 1] = run
  end
end
return { redis.call('DUMP', H), redis.call('DUMP', Z), redis.call('PTTL', H), runs }
