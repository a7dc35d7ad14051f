-- Get items. KEYS: items, and the index last. ARGV: '1' to let them live their whole ttl again, then the members of
-- the items in the index. Returns the items; one that expired is false, and leaves the index.
local index, items = KEYS[#KEYS], {}
for i = 1, #KEYS - 1 do
  local item = redis.call('GET', KEYS[i])
  items[i] = item
  if not item then
    redis.call('ZREM', index, ARGV[i + 1])
  elseif ARGV[1] == '1' then
    local ttl = struct.unpack('>I8', item)
    if ttl > 0 then
      redis.call('PEXPIRE', KEYS[i], ttl)
    end
  end
end
return items
