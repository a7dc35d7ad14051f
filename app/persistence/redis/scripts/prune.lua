-- Keep the latest checkpoint of every namespace, with what its delta channels are replayed from.
if not current_epoch() then
  return 0
end
for _, member in ipairs(redis.call('ZRANGEBYLEX', Z, '[n', '(o')) do
  keep_latest(string.sub(member, 2, 9))
end
sweep()
return 1
