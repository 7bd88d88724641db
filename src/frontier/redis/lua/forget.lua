-- The queued URLs of a cancelled crawl leave, some with every call; then what is known of the crawl itself.
-- ARGV: crawl, where the scan of the hosts goes on ('0' at first); or crawl and 'end'.
-- Answers: where it goes on ('0' where it is through), how many URLs left, how many are leased or handed over.
local URLS = 1024
local HOSTS = 128
local refused = enter()
if refused then return refused end
local id = ARGV[4]
if ARGV[5] == 'end' then
  redis.call('SREM', P .. 'crawls', id)
  redis.call('DEL', P .. 'c:' .. id, P .. 'rules:' .. id, P .. 'seeds:' .. id, P .. 'known:' .. id)
  weigh_crawls()
  leave()
  return {'0', 0, 0}
end
local scanned = redis.call('HSCAN', P .. 'hosts', ARGV[5], 'COUNT', HOSTS)
local left, is_cut = 0, false
for i = 1, #scanned[2], 2 do
  if left >= URLS then
    is_cut = true
    break
  end
  local host = load_host(scanned[2][i])
  local before = left
  for _, line in ipairs(host and host.lines or {}) do
    while line.crawl == id and line.listed + line.ripe + line.later > 0 and left < URLS do left = left + drop(host, line) end
    is_cut = is_cut or line.crawl == id and line.listed + line.ripe + line.later > 0
  end
  if left > before then
    drop_empty_lines(host)
    save(host)
  end
  if is_cut then break end
end
leave()
-- What was cut short is scanned again from where it began.
return {is_cut and ARGV[5] or scanned[1], left, crawl_of(id).flight}
