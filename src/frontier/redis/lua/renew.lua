-- Moves the expiry of each lease held under one of these tokens; answers with those that it does not know.
-- ARGV: tokens.
local refused = enter() or silent()
if refused then return refused end
local unknown = {}
for i = 4, #ARGV do
  local expiry = redis.call('ZSCORE', P .. 'expiries', ARGV[i])
  if expiry and tonumber(expiry) > now then
    redis.call('ZADD', P .. 'expiries', now + C[LEASE], ARGV[i])
  else
    unknown[#unknown + 1] = ARGV[i]
  end
end
return unknown
