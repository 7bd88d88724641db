-- Sets of numbers in many small intsets, 8 bytes a number: linear hashing splits one bucket whenever the mean grows past
-- LOAD, so that no bucket comes near 512, where Redis would turn it into a table of eight times the size.
local LOAD = 192

-- The largest power of two that is not above `buckets`.
local function floor_power(buckets)
  local power = 1
  while power * 2 <= buckets do power = power * 2 end
  return power
end

-- The hash of a number: its last nine digits.
local function digits(text)
  return tonumber(string.sub(text, -9)) % 1000000000
end

local function bucket_of(hash, buckets, power)
  local at = hash % (power * 2)
  if at >= buckets then at = at - power end
  return at
end

-- Splits one bucket of the set `kind`, where it holds more than its buckets should; answers with the number of buckets.
local function grow(kind, members, buckets)
  if members <= buckets * LOAD then return buckets end
  local power = floor_power(buckets)
  local from, to = P .. kind .. (buckets - power), P .. kind .. buckets
  local stay, move = {}, {}
  for _, member in ipairs(redis.call('SMEMBERS', from)) do
    local side = digits(member) % (power * 2) == buckets and move or stay
    side[#side + 1] = member
  end
  redis.call('DEL', from, to)
  if #stay > 0 then redis.call('SADD', from, unpack(stay)) end
  if #move > 0 then redis.call('SADD', to, unpack(move)) end
  return buckets + 1
end
