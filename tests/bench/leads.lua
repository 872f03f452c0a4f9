-- What wrk sends: in each request a typical form with a phone number that no request had before.
-- After the URL come the number of the first lead, so that no round repeats another's, and how many leads a request
-- brings: more than one are a batch.

local AREAS = {201, 212, 213, 214, 303, 305, 312, 404, 415, 503, 512, 602, 614, 617, 619, 702, 713, 719, 801, 816}
-- Exchanges from 600 on: without 555, whose fictional numbers are taken as tests.
local EXCHANGES, LINES = 400, 10000
local NUMBERS = #AREAS * EXCHANGES * LINES
-- A prime: leads that follow one another have numbers far apart, as in life.
local STEP = 39916801

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

local FORM = "caller_id=%%28%d%%29+%d-%04d&email=john.smith.%d%%40gmail.com&first_name=John&last_name=Smith"
  .. "&zip=80202&loan_amount=25000&traffic_source_id=google_ads&sub_id=campaign-%d"

local LEAD = '{"caller_id":"(%d) %d-%04d","email":"john.smith.%d@gmail.com","first_name":"John","last_name":"Smith",'
  .. '"zip":"80202","loan_amount":25000,"traffic_source_id":"google_ads","sub_id":"campaign-%d"}'

local lead, size

function init(args)
  lead, size = tonumber(args[1]), tonumber(args[2])
  if size > 1 then
    wrk.headers["Content-Type"] = "application/json"
  end
end

local function next_lead(spelt)
  lead = lead + 1
  local at = (lead * STEP) % NUMBERS
  local line = at % LINES
  local rest = (at - line) / LINES
  local exchange = rest % EXCHANGES
  local area = AREAS[(rest - exchange) / EXCHANGES + 1]
  return string.format(spelt, area, 600 + exchange, line, lead, lead % 50)
end

function request()
  if size == 1 then
    return wrk.format(nil, nil, nil, next_lead(FORM))
  end
  local leads = {}
  for i = 1, size do
    leads[i] = next_lead(LEAD)
  end
  return wrk.format(nil, nil, nil, '{"leads":[' .. table.concat(leads, ",") .. ']}')
end

function done(summary, latency)
  local errors = summary.errors
  local lost = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "lost": %d, "refused": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    lost, errors.status
  ))
end
