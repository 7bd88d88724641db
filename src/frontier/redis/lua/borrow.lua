-- A lease of no URL on a host that is due and free; otherwise it is kept free for a moment once it is.
-- ARGV: host, whether it is this machine.
local SOON = 20000
local WANTED = 500000
local refused = enter() or silent()
if refused then return refused end
local host = host_of(ARGV[4], ARGV[5])
local answer
if host.token > 0 or host.notes > 0 or free_at(host) > now then
  local at = math.max(free_at(host), now + SOON)
  host.wanted = at + WANTED
  answer = {'', outward(at)}
else
  host.wanted = 0
  local token = hold(host, {})
  answer = {string.format('%d', token), outward(now + C[LEASE]), outward(host.block),
    string.format('%d', host.delay), host.strikes}
end
save(host)
leave()
return answer
