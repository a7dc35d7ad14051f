-- Set cached values of one namespace, and drop some that expired. KEYS: hash, sorted set of expiries.
-- ARGV: field, milliseconds to live ('' for ever), value, ...
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
for i = 1, #ARGV, 3 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 2])
  if ARGV[i + 1] == '' then
    redis.call('ZREM', KEYS[2], ARGV[i])
  else
    redis.call('ZADD', KEYS[2], string.format('%.0f', now + tonumber(ARGV[i + 1])), ARGV[i])
  end
end
local expired = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now), 'LIMIT', 0, 500)
for _, field in ipairs(expired) do
  redis.call('HDEL', KEYS[1], field)
  redis.call('ZREM', KEYS[2], field)
end
-- When everything expires, the two keys go with the last of it.
if redis.call('HLEN', KEYS[1]) == redis.call('ZCARD', KEYS[2]) and redis.call('ZCARD', KEYS[2]) > 0 then
  local last = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')[2]
  redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', tonumber(last)))
  redis.call('PEXPIREAT', KEYS[2], string.format('%.0f', tonumber(last)))
else
  redis.call('PERSIST', KEYS[1])
  redis.call('PERSIST', KEYS[2])
end
return 1
