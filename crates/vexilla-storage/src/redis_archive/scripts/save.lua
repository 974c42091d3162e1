-- Saves flags unless later ones are there, or others of the same revision, and tells everybody.
-- KEYS: flags. ARGV: epoch and sequence (20 digits each, so that texts compare as numbers), flags, channel, message,
-- the confirmation that comes with them, what no epoch and no sequence comes to.

local kind = redis.call('TYPE', KEYS[1])['ok']
if kind ~= 'none' then
  if kind ~= 'hash' then return { 'foreign', '', '' } end
  local held = redis.call('HMGET', KEYS[1], 'epoch', 'sequence', 'checksum')
  local epoch, sequence, checksum = held[1], held[2], held[3]
  if not (epoch and sequence and checksum and #epoch == 20 and #sequence == 20) then
    return { 'foreign', '', '' }
  end
  -- A number that cannot be must not keep good flags out for good, and neither must damaged ones.
  local is_possible = epoch < ARGV[7] and sequence < ARGV[7]
  local is_later = epoch > ARGV[1] or (epoch == ARGV[1] and sequence > ARGV[2])
  -- Instances that asked for themselves count alike: who comes second must not replace what the others may follow.
  local is_other = epoch == ARGV[1] and sequence == ARGV[2] and checksum ~= redis.sha1hex(ARGV[3])
  if is_possible and (is_later or is_other) then
    local flags = redis.call('HGET', KEYS[1], 'flags') or ''
    if redis.sha1hex(flags) == checksum then return { 'superseded', epoch, sequence } end
  end
end

redis.call('HSET', KEYS[1],
  'epoch', ARGV[1], 'sequence', ARGV[2], 'checksum', redis.sha1hex(ARGV[3]), 'flags', ARGV[3],
  'confirmed', ARGV[6])
redis.call('PUBLISH', ARGV[4], ARGV[5])
return { 'saved', ARGV[1], ARGV[2] }
