-- Remove a thread. Returns its hashed run ids. A damaged thread can be removed too.
local runs, seen = {}, {}
for _, member in ipairs(redis.call('ZRANGEBYLEX', Z, '[c', '(d')) do
  local row = redis.call('HGET', H, member)
  if row then
    local _, run = parse_row(row)
    if not seen[run] then
      seen[run] = true
      runs[#runs + 1] = run
    end
  end
end
redis.call('UNLINK', H, Z)
return runs
