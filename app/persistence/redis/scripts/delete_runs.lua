-- Remove the checkpoints of runs, with their writes, but not those that others are replayed from. ARGV: hashed
-- run ids.
if not current_epoch() then
  return 0
end
local runs, removed = {}, 0
for _, run in ipairs(ARGV) do
  runs[run] = true
end
for _, namespace in ipairs(redis.call('ZRANGEBYLEX', Z, '[n', '(o')) do
  local name, keep = string.sub(namespace, 2, 9), {}
  local all = members(name)
  for _, member in ipairs(all) do
    local _, run = parse_row(get_row(string.sub(member, 2)))
    keep[member] = not runs[run] or nil
  end
  removed = removed + keep_only(name, all, keep)
end
if removed > 0 then
  sweep()
  remove_if_empty()
end
return removed
