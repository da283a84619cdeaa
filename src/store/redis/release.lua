local nonce, fate, failed, wait, whom, in_a_row, words =
  ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6]), ARGV[7]
linger()
if record['note.by'] == nonce then
  if fate == 'refused' then
    record['note.refused'] = '1'
  elseif fate == 'unspent' and get('note.flights') == 1 and get('note.refused') == 0 then
    forget('note.')
  end
end
if record['claim.by'] == nonce then
  forget('claim.')
  if failed ~= '' then
    if get('failure.until') > now and (record['failure.whom'] or '') ~= whom then whom = '' end
    record['failure.by'] = nonce
    put('failure.at', now)
    put('failure.until', now + wait)
    put_text('failure.whom', whom)
    put('failure.in_a_row', in_a_row)
    put_text('failure.text', words)
  end
end
write()
return answer('done')
