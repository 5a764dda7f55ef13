wrk.method = "GET"
{authorization}

function done(summary, latency)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    local rate = summary.requests / (summary.duration / 1e6)
    print(string.format("result %f %f %d", rate, latency:percentile(50), failed))
end
