-- Remove the checkpoints of runs, with their writes. ARGV: hashed run ids.
if not current_epoch() then
  return 0
end
local runs, removed = {}, 0
for _, run in ipairs(ARGV) do
  runs[run] = true
end
for _, member in ipairs(redis.call('ZRANGEBYLEX', Z, '[c', '(d')) do
  local _, run = parse_row(get_row(string.sub(member, 2)))
  if runs[run] then
    drop(member)
    removed = removed + 1
  end
end
if removed > 0 then
  sweep()
  remove_if_empty()
end
return removed
