-- Notes of an epoch before: each host goes by the slower of what is said and what is known.
-- ARGV: for each the host, whether it is this machine, then a note as in `hand_off`.
local refused = enter()
if refused then return refused end
local ARGS = 7

local function remind(name, kind, ...)
  local host = host_of(name, kind)
  local block, delay, strikes = host.block, host.delay, host.strikes
  append_note(host, ...)
  host.block, host.delay = math.max(host.block, block), math.max(host.delay, delay)
  host.strikes = math.max(host.strikes, strikes)
  save(host)
end

for i = 4, #ARGV, ARGS do remind(unpack(ARGV, i, i + ARGS - 1)) end
leave()
return 1
