-- The scheduler is alive. Answers with the time of the server.
local refused = enter()
if refused then return refused end
C[BEAT] = now
leave()
return string.format('%d', now)
