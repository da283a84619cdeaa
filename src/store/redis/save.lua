if ARGV[1] == 'accepted' then
  local revision = tonumber(ARGV[2])
  local answered = 'done'
  if get('revision') > revision then
    answered = 'newer'
  elseif get('revision') == revision and revision > 0 and record.standing == nil then
    record.accepted = '1'
    record.rejections = nil
  end
  write()
  return answer(answered)
end

local nonce, than, revision, standing, body, keep, doubt =
  ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], ARGV[6], tonumber(ARGV[7]), ARGV[8]
if get('revision') == revision and record.author == nonce then
  write()
  return answer('done')
end
if get('revision') > than then
  write()
  return answer('newer')
end
put('revision', revision)
record.author = nonce
put('saved_at', now)
put_text('standing', standing)
record.accepted = nil
put_text('body', body)
if standing == 'rejected' then put('rejections', math.max(get('rejections') + 1, 2)) end
if standing == 'revoked' then record.rejections = nil end
if record['claim.by'] == nonce then forget('claim.') end
if record['note.by'] and get('note.revision') < revision then forget('note.') end
-- It may have been saved before, and then been lost with what came of it.
local is_lost = lost_at() ~= nil
if (is_lost or doubt ~= '') and record['note.by'] == nil then
  record['note.by'] = nonce
  put('note.revision', revision)
  put('note.at', now)
  put('note.flights', 1)
end
forget('failure.')
put('goes_at', now + keep)
write()
return answer('done')
