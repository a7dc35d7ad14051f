-- Make a thread from two DUMP payloads. ARGV: payloads, ttl in ms, epoch. Returns 0 if the thread exists.
if current_epoch() then
  return 0
end
redis.call('RESTORE', H, 0, ARGV[1])
redis.call('RESTORE', Z, 0, ARGV[2])
redis.call('ZREMRANGEBYLEX', Z, '[!', '("')
begin(ARGV[4])
touch(tonumber(ARGV[3]))
return 1
