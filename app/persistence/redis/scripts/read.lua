-- Read checkpoints with all that they refer to, each value once. ARGV: ttl in ms to refresh (0: leave it),
-- '1' to read values and writes, then which ones:
--   latest N               the latest of the namespace with the hashed name N
--   one N id               this one; N may be '' for all namespaces
--   page N count id M      newest first, before (id, M) in (id descending, hashed name ascending); id '': from
--                          the start; N '': all namespaces
--   these N id N id ...
-- Returns {} for no thread, else rows {N, id, row, batches, ...}, manifests, items, namespaces {N, name, ...}
-- (if N is '', or nothing was found).
local mode, name = ARGV[3], ARGV[4]
local with_values = ARGV[2] == '1'
if not current_epoch() then
  return {}
end

local function names()
  if name ~= '' then
    return { name }
  end
  local all = {}
  for _, member in ipairs(redis.call('ZRANGEBYLEX', Z, '[n', '(o')) do
    all[#all + 1] = string.sub(member, 2, 9)
  end
  return all
end

local function newest(n, upper, count)
  return redis.call('ZREVRANGEBYLEX', Z, upper, '[c' .. n, 'LIMIT', 0, count)
end

local function page(count, id, last_name)
  local merged = {}
  for _, n in ipairs(names()) do
    -- Of the namespaces before and at the cursor's, `id` itself has been seen.
    local bracket = (id ~= '' and n > last_name) and '[c' or '(c'
    for _, member in ipairs(newest(n, bracket .. n .. (id == '' and '\255' or id), count)) do
      merged[#merged + 1] = { n, string.sub(member, 10) }
    end
  end
  table.sort(merged, function(a, b)
    if a[2] ~= b[2] then
      return a[2] > b[2]
    end
    return a[1] < b[1]
  end)
  local cut = {}
  for i = 1, math.min(count, #merged) do
    cut[i] = merged[i]
  end
  return cut
end

local chosen = {}
if mode == 'latest' then
  chosen = page(1, '', '')
elseif mode == 'page' then
  chosen = page(tonumber(ARGV[5]), ARGV[6], ARGV[7])
elseif mode == 'one' then
  for _, n in ipairs(names()) do
    if redis.call('ZSCORE', Z, 'c' .. n .. ARGV[5]) then
      chosen[#chosen + 1] = { n, ARGV[5] }
    end
  end
else
  for i = 4, #ARGV, 2 do
    if redis.call('ZSCORE', Z, 'c' .. ARGV[i] .. ARGV[i + 1]) then
      chosen[#chosen + 1] = { ARGV[i], ARGV[i + 1] }
    end
  end
end

local found, rows = new_collection(), {}
for _, pair in ipairs(chosen) do
  local member = pair[1] .. pair[2]
  local row, batches = get_row(member), ''
  if with_values then
    local _, _, _, slots = parse_row(row)
    want_slots(found, slots)
    batches = redis.call('HGET', H, 'w' .. member) or ''
    want_batches(found, batches)
  end
  rows[#rows + 1] = pair[1]
  rows[#rows + 1] = pair[2]
  rows[#rows + 1] = row
  rows[#rows + 1] = batches
end

local namespaces = {}
if name == '' or #rows == 0 then
  for _, member in ipairs(redis.call('ZRANGEBYLEX', Z, '[n', '(o')) do
    namespaces[#namespaces + 1] = string.sub(member, 2, 9)
    namespaces[#namespaces + 1] = string.sub(member, 10)
  end
end
touch(tonumber(ARGV[1]))
return { rows, packed_manifests(found), packed_items(found), namespaces }
