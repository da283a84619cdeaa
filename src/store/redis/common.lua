-- What all steps begin with: the record, and the time. The steps themselves are those of ../steps.rs.
local key = KEYS[1]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local LAST = 9007199254740991
local LONGEST, LINGERS, DOUBT = 5000, 3600000, 15000

local raw = redis.call('HGETALL', key)
local was, record = {}, {}
for i = 1, #raw, 2 do
  was[raw[i]] = raw[i + 1]
  record[raw[i]] = raw[i + 1]
end

local function text(number)
  return string.format('%.0f', math.min(number, LAST))
end

local function get(name)
  return tonumber(record[name] or 0)
end

local function put(name, number)
  if number > 0 then record[name] = text(number) else record[name] = nil end
end

local function put_text(name, value)
  if value ~= '' then record[name] = value else record[name] = nil end
end

local function forget(prefix)
  for name in pairs(was) do
    if string.sub(name, 1, #prefix) == prefix then record[name] = nil end
  end
end

-- Which primary this is, and since when it has lost nothing: one that was never a replica since it was started, and one that was
-- since it took over. When that was isn't told. Nothing is where the user may not ask.
local function this_primary()
  local function told(section)
    local text = redis.pcall('INFO', section)
    return type(text) == 'string' and text or ''
  end
  local replication = told('replication')
  if not string.match(replication, 'second_repl_offset:%-1') then
    return string.match(replication, 'master_replid:(%x+)'), now
  end
  local server = told('server')
  local up = tonumber(string.match(server, 'uptime_in_seconds:(%d+)') or 0)
  return string.match(server, 'run_id:(%x+)'), math.max(now - up * 1000, 1)
end

-- If another primary has written the record: until when it may have acknowledged what is lost, since what a replica takes over,
-- and what is read from a disk, may lack the newest. Which one has written it is kept beside the record, and told nobody.
local function lost_at()
  local primary, since = this_primary()
  local before = record.primary
  record.primary = primary or before
  return primary and before and primary ~= before and since or nil
end

-- What has been read, for those who asked. A claim that has ended isn't shown.
local function answer(kind, next_revision)
  local reply = {kind, text(now), text(next_revision or 0)}
  if next(record) ~= nil then record.format = '1' end
  local has_ended = get('claim.until') <= now
  for name, value in pairs(record) do
    if name ~= 'primary' and not (has_ended and string.sub(name, 1, 6) == 'claim.') then
      reply[#reply + 1] = name
      reply[#reply + 1] = value
    end
  end
  return reply
end

-- A record that makes no sense is left as it is, and told as it is.
local function is_sound()
  local numbers = {
    'revision', 'saved_at', 'accepted', 'claim.until', 'note.revision', 'note.at', 'note.flights', 'note.refused',
    'rejections', 'full_at', 'failure.at', 'failure.until', 'failure.in_a_row', 'goes_at',
  }
  for _, name in ipairs(numbers) do
    if was[name] and not string.match(was[name], '^%d+$') then return false end
  end
  for _, name in ipairs({'author', 'claim.by', 'note.by', 'failure.by'}) do
    if was[name] and not (#was[name] == 32 and string.match(was[name], '^[0-9a-f]+$')) then return false end
  end
  local standing = was.standing
  return was.format == '1' and (standing == nil or standing == 'rejected' or standing == 'revoked')
end
if #raw > 0 and not is_sound() then
  local reply = {'unsound', text(now), '0'}
  for _, part in ipairs(raw) do reply[#reply + 1] = part end
  return reply
end

-- Writes what has changed.
local function write()
  if get('goes_at') == 0 then
    -- There is nothing in it.
    if #raw > 0 then redis.call('DEL', key) end
    return
  end
  record.format = '1'
  local changed, gone = {}, {}
  for name, value in pairs(record) do
    if was[name] ~= value then
      changed[#changed + 1] = name
      changed[#changed + 1] = value
    end
  end
  for name in pairs(was) do
    if record[name] == nil then gone[#gone + 1] = name end
  end
  if #changed > 0 then redis.call('HSET', key, unpack(changed)) end
  if #gone > 0 then redis.call('HDEL', key, unpack(gone)) end
  if record.goes_at ~= was.goes_at then redis.call('PEXPIREAT', key, record.goes_at) end
end

local function linger()
  if get('goes_at') < now + LINGERS / 2 then put('goes_at', now + LINGERS) end
end

-- What the clock says has been, and isn't yet, is taken back.
if get('goes_at') <= now then record = {} end
put('saved_at', math.min(get('saved_at'), now))
if record['claim.by'] then put('claim.until', math.min(get('claim.until'), now + LONGEST)) end
if record['note.by'] then put('note.at', math.min(get('note.at'), now)) end
if record['failure.by'] and get('failure.at') > now then
  put('failure.until', now + math.max(get('failure.until') - get('failure.at'), 0))
  put('failure.at', now)
end
