-- The scheduler is alive. Answers with the time of the server.
local refused = enter()
if refused then return refused end
C.beat = now
leave()
return string.format('%.0f', now)
