-- Begins or ends a refill: from here to there, what is acknowledged is noted.
-- ARGV: how long a refill may take at most; 0 for its end.
local refused = enter()
if refused then return refused end
redis.call('DEL', P .. 'settled')
local span = tonumber(ARGV[4])
C[REFILL_UNTIL] = span > 0 and now + span or 0
leave()
return 1
