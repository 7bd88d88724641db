-- What the index is told of a crawl.
-- ARGV: crawl, state, page budget (-1 for none), pages stored, 'auto' or 'fixed', the delay.
local refused = enter()
if refused then return refused end
redis.call('SADD', P .. 'crawls', ARGV[4])
redis.call('HSET', P .. 'c:' .. ARGV[4], 'state', ARGV[5], 'max', ARGV[6], 'stored', ARGV[7], 'kind', ARGV[8],
  'delay', ARGV[9])
C.fixed_delay, C.auto_delay, C.budgets, C.unpark = 0, 0, 0, 1
for _, crawl in ipairs(redis.call('SMEMBERS', P .. 'crawls')) do
  local got = redis.call('HMGET', P .. 'c:' .. crawl, 'kind', 'delay', 'max')
  local delay = got[1] .. '_delay'
  C[delay] = math.max(C[delay], tonumber(got[2]))
  if tonumber(got[3]) >= 0 then C.budgets = 1 end
end
leave()
return 1
