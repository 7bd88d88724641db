-- What the crawls of a shard want together: the larger delay, and whether any has a page budget.
local function weigh_crawls()
  C.fixed_delay, C.auto_delay, C.budgets, C.unpark = 0, 0, 0, 1
  for _, crawl in ipairs(redis.call('SMEMBERS', P .. 'crawls')) do
    local got = redis.call('HMGET', P .. 'c:' .. crawl, 'kind', 'delay', 'max')
    local delay = got[1] .. '_delay'
    C[delay] = math.max(C[delay], tonumber(got[2]))
    if tonumber(got[3]) >= 0 then C.budgets = 1 end
  end
end
