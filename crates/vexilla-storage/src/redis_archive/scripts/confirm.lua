-- Notes when flags were confirmed, if they are still there. Gives whether they are.
-- KEYS: flags. ARGV: epoch and sequence (20 digits each), the confirmation.

if redis.call('TYPE', KEYS[1])['ok'] ~= 'hash' then return 0 end
local held = redis.call('HMGET', KEYS[1], 'epoch', 'sequence')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'confirmed', ARGV[3])
return 1
