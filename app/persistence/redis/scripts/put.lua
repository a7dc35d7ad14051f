-- Store one checkpoint. ARGV: epoch for a new thread, ttl in ms (0: none), hashed namespace, namespace, id,
-- head of the row, slots (ref NO_VALUE: empty; ref '????????': unchanged), payload, '1' for shallow history,
-- number of manifests, then ref, manifest, ..., then hash, item, ...
-- Returns 'ok', '' or 'created'; or 'stale' if something that the sender believes stored is not.
local UNCHANGED = '????????'
local name, id, slots = ARGV[3], ARGV[5], ARGV[7]
local manifests = tonumber(ARGV[10])
local first_item = 11 + 2 * manifests

local function slot_refs(row)
  local refs = {}
  local _, _, _, known = parse_row(row)
  for at = 1, #known, 24 do
    refs[string.sub(known, at, at + 15)] = string.sub(known, at + 16, at + 23)
  end
  return refs
end

-- Refs of unchanged channels: those of the parent, or of the newest other checkpoint with the same version.
local function resolve(parent)
  local parent_row = parent ~= '' and redis.call('HGET', H, 'c' .. name .. parent)
  local known = parent_row and slot_refs(parent_row) or {}
  local others
  local function find(key)
    others = others or redis.call('ZREVRANGEBYLEX', Z, '(c' .. name .. '\255', '[c' .. name)
    for _, member in ipairs(others) do
      local ref = slot_refs(get_row(string.sub(member, 2)))[key]
      if ref then
        return ref
      end
    end
    return NO_VALUE
  end
  local resolved = {}
  for at = 1, #slots, 24 do
    local key, ref = string.sub(slots, at, at + 15), string.sub(slots, at + 16, at + 23)
    if ref == UNCHANGED then
      ref = known[key] or find(key)
    end
    resolved[#resolved + 1] = key .. ref
  end
  return table.concat(resolved)
end

check_lock()
local epoch = current_epoch()
local texts = {}
for i = 11, first_item - 1, 2 do
  local manifest = ARGV[i + 1]
  local kind = string.sub(manifest, 1, 1)
  if kind == 'd' or kind == 'D' then
    if not is_stored(string.sub(manifest, 2, 9)) then
      return { 'stale', '' }
    end
    texts[#texts + 1] = { manifest, 14, #manifest }
  elseif kind == 'm' then
    if not each_bundle_ref(manifest, 2, is_stored) then
      return { 'stale', '' }
    end
    texts[#texts + 1] = { manifest, bundle_hashes(manifest, 2) }
  elseif kind ~= 'p' then
    texts[#texts + 1] = { manifest, 2, #manifest }
  end
end
local packed = resolve(parse_row(ARGV[6] .. '\0\0'))
if not store_items(first_item, texts) then
  return { 'stale', '' }
end
if not epoch then
  begin(ARGV[1])
end
for i = 11, first_item - 1, 2 do
  redis.call('HSET', H, 'v' .. ARGV[i], ARGV[i + 1])
end
redis.call('HSET', H, 'c' .. name .. id, ARGV[6] .. struct.pack('>I2', #packed / 24) .. packed .. ARGV[8])
redis.call('ZADD', Z, 0, 'n' .. name .. ARGV[4], 0, 'c' .. name .. id)
if ARGV[9] == '1' then
  keep_latest(name)
  sweep_if_worthwhile()
end
touch(tonumber(ARGV[2]))
return { 'ok', epoch and '' or 'created' }
