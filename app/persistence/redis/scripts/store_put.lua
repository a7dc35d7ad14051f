-- Put one item. KEYS: item, index. ARGV: member of the index, ttl in ms (0: none), microseconds now, payload.
-- An item is ttl, created, updated (8 bytes each) and payload.
local before = redis.call('GET', KEYS[1])
local now = struct.pack('>I8', tonumber(ARGV[3]))
local created = before and string.sub(before, 9, 16) or now
local ttl = tonumber(ARGV[2])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
redis.call('SET', KEYS[1], struct.pack('>I8', ttl) .. created .. now .. ARGV[4])
if ttl > 0 then
  redis.call('PEXPIRE', KEYS[1], ttl)
end
return 1
