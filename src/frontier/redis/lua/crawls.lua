-- What the crawls of a shard want together: the larger delay, and whether any has a page budget.
local function weigh_crawls()
  C[FIXED_DELAY], C[AUTO_DELAY], C[BUDGETS], C[UNPARK] = 0, 0, 0, 1
  for _, crawl in ipairs(redis.call('SMEMBERS', P .. 'crawls')) do
    local got = redis.call('HMGET', P .. 'c:' .. crawl, 'kind', 'delay', 'max')
    local delay = got[1] == 'fixed' and FIXED_DELAY or AUTO_DELAY
    C[delay] = math.max(C[delay], tonumber(got[2]))
    if tonumber(got[3]) >= 0 then C[BUDGETS] = 1 end
  end
end
