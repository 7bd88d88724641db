-- Says which epoch is open, or that none is, unless a newer one is; the counters of the one before go, so that whoever
-- still holds to it is refused.
-- KEYS: the mark. ARGV: the epoch, the mark (empty for none), the keys of this shard in any epoch up to its number, '1'
-- where the counters of this very epoch go, too: it is closed.
local held = redis.call('GET', KEYS[1]) or ''
local before = tonumber(string.match(held, '^%d+'))
if before and before > tonumber(ARGV[1]) then
  return redis.error_reply('HMLOST epoch ' .. before .. ' is open, and ' .. ARGV[1] .. ' is older: another scheduler leads')
end
if before and (before ~= tonumber(ARGV[1]) or ARGV[4] == '1') then redis.call('DEL', ARGV[3] .. string.format('%d', before) .. ':ctl') end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2]) end
return 1
