-- Hosts with queued URLs that block us: how many, their URLs, the first end.
local refused = enter()
if refused then return refused end
local blocked = redis.call('ZRANGEBYSCORE', P .. 'blocked', string.format('(%d', now), '+inf', 'WITHSCORES')
local urls = 0
for i = 1, #blocked, 2 do urls = urls + queued_of(load_host(blocked[i])) end
return {#blocked / 2, urls, blocked[2] and outward(tonumber(blocked[2])) or ''}
