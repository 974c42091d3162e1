-- Takes the lease, or renews it. Gives 1 and its time if we have it, 0 and the time left if somebody else does.
-- KEYS: lease. ARGV: our token, milliseconds.

local holder = redis.call('GET', KEYS[1])
if not holder then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return { 1, tonumber(ARGV[2]) }
end
if holder == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return { 1, tonumber(ARGV[2]) }
end
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  -- A lease without an end is nobody's.
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  left = tonumber(ARGV[2])
end
return { 0, left }
