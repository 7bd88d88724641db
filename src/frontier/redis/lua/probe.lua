-- Whether the server does what the index needs, on one key that is gone afterwards: every command of every script.
-- KEYS: that key. Answers: how a set of 512 numbers is kept.
local key = KEYS[1]
redis.call('DEL', key)
local numbers = {}
for i = 1, 512 do numbers[i] = string.format('%d', 4503599627370496 + i) end
redis.call('SADD', key, unpack(numbers))
local encoding = redis.call('OBJECT', 'ENCODING', key)
for _, command in ipairs({
  {'SMEMBERS', key}, {'SISMEMBER', key, '1'}, {'SREM', key, '1'}, {'DEL', key},
  {'SET', key, '1'}, {'GET', key}, {'EXISTS', key}, {'DEL', key},
  {'HSET', key, 'a', '1'}, {'HSCAN', key, '0'}, {'HSETNX', key, 'a', '1'}, {'HGET', key, 'a'}, {'HMGET', key, 'a'}, {'HGETALL', key}, {'HLEN', key},
  {'HINCRBY', key, 'a', 1}, {'HDEL', key, 'b'}, {'DEL', key},
  {'ZADD', key, 1, 'a', 2, 'b'}, {'ZRANGE', key, 0, -1}, {'ZRANGEBYSCORE', key, 0, 1}, {'ZSCORE', key, 'a'},
  {'ZREM', key, 'c'}, {'ZPOPMIN', key}, {'ZREMRANGEBYSCORE', key, 0, 1}, {'DEL', key},
  {'RPUSH', key, 'a'}, {'LPUSH', key, 'b'}, {'LRANGE', key, 0, -1}, {'LINDEX', key, 0}, {'LLEN', key}, {'LREM', key, 1, 'c'},
  {'LPOP', key}, {'DEL', key},
  {'XGROUP', 'CREATE', key, 'probe', '0', 'MKSTREAM'}, {'XADD', key, '1-0', 'a', '1'}, {'XINFO', 'GROUPS', key},
  {'XREADGROUP', 'GROUP', 'probe', 'probe', 'COUNT', 1, 'STREAMS', key, '>'}, {'XACK', key, 'probe', '1-0'},
  {'XAUTOCLAIM', key, 'probe', 'probe', 1, '0-0', 'COUNT', 1}, {'XDEL', key, '1-0'}, {'DEL', key}, {'TIME'},
}) do
  local answer = redis.pcall(unpack(command))
  if type(answer) == 'table' and answer.err then
    redis.pcall('DEL', key)
    return redis.error_reply('HMRIGHT ' .. command[1] .. ': ' .. answer.err)
  end
end
return encoding
