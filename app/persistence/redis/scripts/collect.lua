-- Removal. A kept checkpoint keeps everything that it refers to.

local function members(name)
  return redis.call('ZRANGEBYLEX', Z, '[c' .. name, '(c' .. name .. '\255')
end

local function drop(member)
  redis.call('ZREM', Z, member)
  redis.call('HDEL', H, member, 'w' .. string.sub(member, 2))
end

-- Of a namespace's members, drop those that are not in `keep`, nor among the ancestors that the delta channels of
-- those are replayed from. Returns how many it dropped.
local function keep_only(name, all, keep)
  local wanted, searched, dropped = {}, {}, 0
  for member in pairs(keep) do
    wanted[#wanted + 1] = member
  end
  for _, member in ipairs(wanted) do
    local parent, _, needs = parse_row(get_row(string.sub(member, 2)))
    local needed = {}
    for at = 1, #needs, 8 do
      needed[string.sub(needs, at, at + 7)] = true
    end
    while next(needed) and parent ~= '' do
      local row = redis.call('HGET', H, 'c' .. name .. parent)
      local before = searched[parent] or {}
      searched[parent] = before
      for channel in pairs(needed) do
        if not row or before[channel] then
          needed[channel] = nil
        end
        before[channel] = true
      end
      if next(needed) then
        keep['c' .. name .. parent] = true
        local slots
        parent, _, _, slots = parse_row(row)
        for at = 1, #slots, 24 do
          if string.sub(slots, at + 16, at + 23) ~= NO_VALUE then
            needed[string.sub(slots, at, at + 7)] = nil
          end
        end
      end
    end
  end
  for _, member in ipairs(all) do
    if not keep[member] then
      drop(member)
      dropped = dropped + 1
    end
  end
  return dropped
end

-- Keep the latest checkpoint of a namespace, and what it is replayed from.
local function keep_latest(name)
  local all = members(name)
  if #all > 0 then
    keep_only(name, all, { [all[#all]] = true })
  end
end

-- Remove what no checkpoint and no write refers to. Writes may arrive before their checkpoint, so those without
-- one stay if they are younger than the namespace's latest checkpoint.
local function sweep()
  local found, latest = new_collection(), {}
  for _, member in ipairs(redis.call('ZRANGEBYLEX', Z, '[c', '(d')) do
    local _, _, _, slots = parse_row(get_row(string.sub(member, 2)))
    want_slots(found, slots)
    latest[string.sub(member, 2, 9)] = member
  end
  local fields = redis.call('HKEYS', H)
  for _, field in ipairs(fields) do
    if string.sub(field, 1, 1) == 'w' then
      local owner = 'c' .. string.sub(field, 2)
      local newest = latest[string.sub(field, 2, 9)]
      if newest and owner < newest and redis.call('HEXISTS', H, owner) == 0 then
        redis.call('HDEL', H, field)
      else
        want_batches(found, redis.call('HGET', H, field))
      end
    end
  end
  for _, field in ipairs(fields) do
    local kind, name = string.sub(field, 1, 1), string.sub(field, 2)
    if (kind == 'v' and not found.manifests[name]) or (kind == 'i' and not found.items[name]) then
      redis.call('HDEL', H, field)
    end
  end
  for _, member in ipairs(redis.call('ZRANGEBYLEX', Z, '[n', '(o')) do
    if not latest[string.sub(member, 2, 9)] then
      redis.call('ZREM', Z, member)
    end
  end
  redis.call('HSET', H, 's', redis.call('HLEN', H))
end

-- Sweeping costs as much as the thread is large: wait until garbage may outweigh the rest.
local function sweep_if_worthwhile()
  local after_last = tonumber(redis.call('HGET', H, 's') or '0')
  if redis.call('HLEN', H) > 2 * after_last + 64 then
    sweep()
  end
end

local function remove_if_empty()
  if redis.call('ZCARD', Z) == 1 then
    redis.call('UNLINK', H, Z)
  end
end
