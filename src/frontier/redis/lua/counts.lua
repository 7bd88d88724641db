-- What stands in this shard.
-- Answers: queued, leased, handed over, hosts, the earliest visit ('' for none, '0' where one is possible now), room,
-- the first expiry of a lease ('' for none), then for each crawl with a budget its number, budget, pages stored and URLs in flight.
local refused = enter()
if refused then return refused end
local first = redis.call('ZRANGE', P .. 'due', 0, 0, 'WITHSCORES')[2]
local due = first and tonumber(first) or nil
local possible = (due and due <= now) or redis.call('EXISTS', P .. 'parked') == 1
local said = possible and '0' or due and outward(due) or ''
local expiry = redis.call('ZRANGE', P .. 'expiries', 0, 0, 'WITHSCORES')[2]
local answer = {C[QUEUED], C[LEASED], C[HANDED], redis.call('HLEN', P .. 'hosts'), said,
  math.max(0, C[MAX_URLS] - C[QUEUED] - C[LEASED] - C[HANDED]), expiry and outward(tonumber(expiry)) or ''}
if C[BUDGETS] > 0 then
  for _, id in ipairs(redis.call('SMEMBERS', P .. 'crawls')) do
    local crawl = crawl_of(id)
    if crawl.max >= 0 then
      for _, value in ipairs({id, crawl.max, crawl.stored, crawl.flight}) do answer[#answer + 1] = value end
    end
  end
end
return answer
