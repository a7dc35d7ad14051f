-- Shared by all scripts of a thread. KEYS: the thread's hash and sorted set. Layouts: byte_layout.py.
local H, Z = KEYS[1], KEYS[2]
local NO_VALUE = string.rep('\0', 8)
-- A run that holds the thread's lock writes with it: KEYS[3] is the lock, and the last of ARGV its owner.
local GIVEN = KEYS[3] and #ARGV - 1 or #ARGV

local function lost(what)
  error('LOST: ' .. what)
end

local function check_lock()
  if KEYS[3] and redis.call('HEXISTS', KEYS[3], ARGV[#ARGV]) == 0 then
    error('UNLOCKED: another has the thread')
  end
end

-- The epoch, or false for a thread that does not exist. Raises if one of the two keys is gone.
local function current_epoch()
  local in_hash = redis.call('HGET', H, 'e')
  local in_set = redis.call('ZRANGEBYLEX', Z, '[!', '("', 'LIMIT', 0, 1)[1]
  if not in_hash and not in_set then
    return false
  end
  if not in_hash or in_set ~= '!' .. in_hash then
    lost('one of the two keys of the thread')
  end
  return in_hash
end

local function begin(epoch)
  redis.call('HSET', H, 'e', epoch)
  redis.call('ZADD', Z, 0, '!' .. epoch)
end

-- Both keys expire at one instant: two relative expiries could be a millisecond apart.
local function touch(milliseconds)
  if milliseconds > 0 then
    local now = redis.call('TIME')
    local at = string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000) + milliseconds)
    redis.call('PEXPIREAT', H, at)
    redis.call('PEXPIREAT', Z, at)
  end
end

-- parent id, hashed run, hashed channels to replay, slots (24 bytes each)
local function parse_row(row)
  local n, at = struct.unpack('>I2', row, 2)
  local parent = string.sub(row, at, at + n - 1)
  local run = string.sub(row, at + n, at + n + 7)
  n, at = struct.unpack('>I2', row, at + n + 8)
  local needs = string.sub(row, at, at + 8 * n - 1)
  n, at = struct.unpack('>I2', row, at + 8 * n)
  return parent, run, needs, string.sub(row, at, at + 24 * n - 1)
end

local function get_row(member)
  local row = redis.call('HGET', H, 'c' .. member)
  if not row then
    lost('a checkpoint')
  end
  return row
end

-- Hashed run ids of all checkpoints; `read` gets the row of a member, or nothing.
local function all_runs(read)
  local runs, seen = {}, {}
  for _, member in ipairs(redis.call('ZRANGEBYLEX', Z, '[c', '(d')) do
    local row = read(string.sub(member, 2))
    if row then
      local _, run = parse_row(row)
      if not seen[run] then
        seen[run] = true
        runs[#runs + 1] = run
      end
    end
  end
  return runs
end

local function new_collection()
  return { manifests = {}, refs = {}, items = {}, hashes = {} }
end

local function want_items(found, text, from, to)
  for at = from, to, 16 do
    local hash = string.sub(text, at, at + 15)
    if not found.items[hash] then
      found.items[hash] = true
      found.hashes[#found.hashes + 1] = hash
    end
  end
end

local want_value

-- Of a bundle (2-byte number of refs, refs, 4-byte number of hashes, hashes, ...): where its hashes are.
local function bundle_hashes(text, at)
  local refs, first_ref = struct.unpack('>I2', text, at)
  local count, first = struct.unpack('>I4', text, first_ref + 8 * refs)
  return first, first + 16 * count - 1
end

local function each_bundle_ref(text, at, visit)
  local refs, first_ref = struct.unpack('>I2', text, at)
  for i = first_ref, first_ref + 8 * refs - 1, 8 do
    if not visit(string.sub(text, i, i + 7)) then
      return false
    end
  end
  return true
end

local function want_bundle(found, text, at)
  each_bundle_ref(text, at, function(ref)
    want_value(found, ref)
    return true
  end)
  want_items(found, text, bundle_hashes(text, at))
end

local function is_stored(ref)
  return redis.call('HEXISTS', H, 'v' .. ref) == 1
end

-- A manifest, the manifests it builds on, and the items they name.
function want_value(found, ref)
  while ref ~= NO_VALUE and not found.manifests[ref] do
    local manifest = redis.call('HGET', H, 'v' .. ref)
    if not manifest then
      lost('a channel value')
    end
    found.manifests[ref] = manifest
    found.refs[#found.refs + 1] = ref
    local kind = string.sub(manifest, 1, 1)
    if kind == 'd' or kind == 'D' then
      want_items(found, manifest, 14, #manifest)
      ref = string.sub(manifest, 2, 9)
    else
      if kind == 'm' then
        want_bundle(found, manifest, 2)
      elseif kind ~= 'p' then
        want_items(found, manifest, 2, #manifest)
      end
      return
    end
  end
end

local function want_slots(found, slots)
  for at = 17, #slots, 24 do
    want_value(found, string.sub(slots, at, at + 7))
  end
end

-- Items of the write batches; `channels` (hashed name -> true) leaves out batches of other channels.
local function want_batches(found, batches, channels)
  local at = 1
  while at <= #batches do
    local size, body = struct.unpack('>I4', batches, at)
    local n, names = struct.unpack('>I2', batches, body)
    local wanted = not channels
    for i = 0, n - 1 do
      wanted = wanted or channels[string.sub(batches, names + 8 * i, names + 8 * i + 7)]
    end
    if wanted then
      want_bundle(found, batches, names + 8 * n)
    end
    at = body + size
  end
end

-- Thousands of small strings are sent as one, which clients read faster: key, 4-byte length, value, ...
local function add_pair(parts, key, value)
  local n = #parts
  parts[n + 1], parts[n + 2], parts[n + 3] = key, struct.pack('>I4', #value), value
end

local function packed_manifests(found)
  local parts = {}
  for _, ref in ipairs(found.refs) do
    add_pair(parts, ref, found.manifests[ref])
  end
  return table.concat(parts)
end

local function packed_items(found)
  local parts, hashes = {}, found.hashes
  for first = 1, #hashes, 500 do
    local fields = {}
    for i = first, math.min(first + 499, #hashes) do
      fields[#fields + 1] = 'i' .. hashes[i]
    end
    for i, item in ipairs(redis.call('HMGET', H, unpack(fields))) do
      if not item then
        lost('an item')
      end
      add_pair(parts, hashes[first + i - 1], item)
    end
  end
  return table.concat(parts)
end

-- Store sent items, unless a ref in `texts` ({text, from, to}) is neither sent nor stored: then false, and
-- nothing is written. The sender resends everything. ARGV[first..]: hash, item, hash, item, ...
local function store_items(first, texts)
  local sent = {}
  for i = first, GIVEN, 2 do
    sent[ARGV[i]] = true
  end
  for _, text in ipairs(texts) do
    for at = text[2], text[3], 16 do
      local hash = string.sub(text[1], at, at + 15)
      if not sent[hash] and redis.call('HEXISTS', H, 'i' .. hash) == 0 then
        return false
      end
    end
  end
  for i = first, GIVEN, 2 do
    redis.call('HSETNX', H, 'i' .. ARGV[i], ARGV[i + 1])
  end
  return true
end
