-- Cached values of one namespace. KEYS: hash, sorted set of expiries. ARGV: fields. Expired ones are false.
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local values = {}
for i, field in ipairs(ARGV) do
  local expiry = redis.call('ZSCORE', KEYS[2], field)
  if expiry and tonumber(expiry) <= now then
    values[i] = false
  else
    values[i] = redis.call('HGET', KEYS[1], field)
  end
end
return values
