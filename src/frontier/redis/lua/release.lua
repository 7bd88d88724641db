-- Appends a note, if there is one, and gives the lease back where it ends.
-- ARGV: host, token, due (empty where the lease goes on), then a note as in `hand_off`.
local refused = enter()
if refused then return refused end
local host = holder(ARGV[4], tonumber(ARGV[5]))
if not host then return 0 end
if #ARGV[7] > 0 then append_note(host, ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11]) end
if #ARGV[6] > 0 then
  host.due = math.max(host.due, inward(ARGV[6]))
  end_lease(host)
end
save(host)
finish()
return 1
