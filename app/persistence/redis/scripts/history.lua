-- What delta channels are replayed from: writes of the ancestors of a checkpoint, newest first, back to the
-- nearest ancestor that stores a value. ARGV: ttl in ms to refresh, hashed namespace, id ('': the latest),
-- then hashed channels.
-- Returns {} for no checkpoint, else ancestors {id, batches, ...}, seeds {channel, number of ancestors up to and
-- with the seed's, ref, ...}, manifests, items.
local name, id = ARGV[2], ARGV[3]
if not current_epoch() then
  return {}
end
if id == '' then
  local latest = redis.call('ZREVRANGEBYLEX', Z, '(c' .. name .. '\255', '[c' .. name, 'LIMIT', 0, 1)[1]
  id = latest and string.sub(latest, 10) or ''
end
local row = redis.call('HGET', H, 'c' .. name .. id)
if not row then
  return {}
end
local parent, _, needs = parse_row(row)
local replayed = {}
for at = 1, #needs, 8 do
  replayed[string.sub(needs, at, at + 7)] = true
end
local wanted = {}
for i = 4, #ARGV do
  wanted[ARGV[i]] = true
end

local found, ancestors, seeds = new_collection(), {}, {}
while next(wanted) and parent ~= '' do
  row = redis.call('HGET', H, 'c' .. name .. parent)
  if not row then
    for channel in pairs(wanted) do
      if replayed[channel] then
        lost('the ancestor checkpoint ' .. parent .. ', which a delta channel is replayed from')
      end
    end
    break
  end
  local batches = redis.call('HGET', H, 'w' .. name .. parent) or ''
  want_batches(found, batches, wanted)
  ancestors[#ancestors + 1] = parent
  ancestors[#ancestors + 1] = batches
  local slots
  parent, _, _, slots = parse_row(row)
  for at = 1, #slots, 24 do
    local channel, ref = string.sub(slots, at, at + 7), string.sub(slots, at + 16, at + 23)
    if wanted[channel] and ref ~= NO_VALUE then
      wanted[channel] = nil
      want_value(found, ref)
      seeds[#seeds + 1] = channel
      seeds[#seeds + 1] = #ancestors / 2
      seeds[#seeds + 1] = ref
    end
  end
end
touch(tonumber(ARGV[1]))
return { ancestors, seeds, packed_manifests(found), packed_items(found) }
