-- Gives the flags, their revision and when they were confirmed, if they are not longer than allowed.
-- KEYS: flags. ARGV: how many bytes they may have.

local kind = redis.call('TYPE', KEYS[1])['ok']
if kind == 'none' then return { 'none', '', '', '', '' } end
if kind ~= 'hash' then return { 'foreign', '', '', '', '' } end
local held = redis.call('HMGET', KEYS[1], 'epoch', 'sequence', 'confirmed')
if not (held[1] and held[2]) then return { 'foreign', '', '', '', '' } end
if redis.call('HSTRLEN', KEYS[1], 'flags') > tonumber(ARGV[1]) then
  return { 'long', held[1], held[2], '', '' }
end
return { 'found', held[1], held[2], redis.call('HGET', KEYS[1], 'flags') or '', held[3] or '' }
