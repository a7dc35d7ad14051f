-- Append one batch of writes to a checkpoint, which may not be there yet. ARGV: epoch for a new thread,
-- ttl in ms, hashed namespace, id, batch, then hash, item, ...
-- Returns as put.lua. The same batch again (a retry) changes nothing.
local field, batch = 'w' .. ARGV[3] .. ARGV[4], ARGV[5]
check_lock()
local epoch = current_epoch()
local channels, at = struct.unpack('>I2', batch, 5)
local bundle = at + 8 * channels
if not each_bundle_ref(batch, bundle, is_stored) or not store_items(6, { { batch, bundle_hashes(batch, bundle) } }) then
  return { 'stale', '' }
end
if not epoch then
  begin(ARGV[1])
end
local before = redis.call('HGET', H, field) or ''
if not string.find(before, batch, 1, true) then
  redis.call('HSET', H, field, before .. batch)
end
touch(tonumber(ARGV[2]))
return { 'ok', epoch and '' or 'created' }
