local nonce, than, lasting, whom, waits = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
local rejection, sending, over, full_at, lost = ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10]
linger()

if rejection ~= '' and than > 0 and get('revision') == than and record.standing ~= 'revoked' then
  if rejection == 'natural' then
    record.rejections = nil
  elseif record.standing ~= 'rejected' then
    put('rejections', get('rejections') + 1)
  end
  record.standing = 'rejected'
end

if get('revision') > than then
  if record['claim.by'] == nonce then forget('claim.') end
  write()
  return answer('newer')
end
if record['claim.by'] and record['claim.by'] ~= nonce and get('claim.until') > now then
  write()
  return answer('held')
end
local refused = record['failure.whom']
local is_concerned = refused == nil or whom == '' or refused == whom
if record['claim.by'] ~= nonce and waits == 'obeyed' and is_concerned and get('failure.until') > now then
  write()
  return answer('wait')
end

forget('claim.')
record['claim.by'] = nonce
put('claim.until', now + math.min(lasting, LONGEST))
local lost_at = lost_at()
if lost ~= '' then lost_at = math.max(lost_at or 0, math.min(tonumber(lost), now)) end
if lost_at then
  local newest = math.max(than, get('revision'))
  if record['note.by'] and get('note.revision') >= newest then
    put('note.flights', get('note.flights') + 1)
    if get('note.at') + DOUBT <= lost_at then put('note.at', lost_at) end
  elseif newest > 0 then
    forget('note.')
    record['note.by'] = string.rep('0', 32)
    put('note.revision', newest)
    put('note.at', lost_at)
    put('note.flights', 1)
  end
end
if sending ~= '' then
  local revision = tonumber(sending)
  local noted = record['note.by']
  if noted == nil or get('note.revision') < revision then
    record['note.by'] = nonce
    put('note.revision', revision)
    put('note.at', now)
    put('note.flights', 1)
    record['note.refused'] = nil
  elseif get('note.revision') == revision and (noted == nonce or noted == over) and get('note.refused') == 0 then
    if noted ~= nonce then put('note.flights', get('note.flights') + 1) end
    record['note.by'] = nonce
    put('note.at', now)
  end
end
if full_at ~= '' then put('full_at', tonumber(full_at)) end
write()
return answer('yours', math.max(math.max(than, get('revision'), get('note.revision')) + 1, now))
