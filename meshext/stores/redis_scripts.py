"""What Redis does in one step: Lua scripts, and how they are called.

Numbers in Lua are doubles, exact for whole numbers below 2**53. Every time and count of `meshext.limits` is
below that, but products of the two are not: where Python multiplies, the scripts get the product of constants
as quotient and remainder, and compare the others digit by digit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from meshext.limits import OVERDRAFT, Limit, State


@dataclass(frozen=True, slots=True)
class Script:
    """A script and the name by which Redis knows it."""

    text: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "sha", digest)


# KEYS: the value. ARGV: amount, life in milliseconds or "". The sum; in a list, the value that is no number.
ADD = Script("""
local old = redis.call('GET', KEYS[1])
local sum = redis.pcall('INCRBY', KEYS[1], ARGV[1])
if type(sum) == 'table' then return {old} end
if not old and ARGV[2] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.call('GET', KEYS[1])
""")

# KEYS: the value. ARGV: "1" and the value expected or "0" and "", the new value, life or "". 1 if written.
COMPARE_AND_SET = Script("""
local old = redis.call('GET', KEYS[1])
if ARGV[1] == '1' then
  if old ~= ARGV[2] then return 0 end
elseif old then return 0 end
if ARGV[4] == '' then redis.call('SET', KEYS[1], ARGV[3])
else redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4]) end
return 1
""")

# KEYS: a counter for each limit. ARGV: the time in microseconds or "", then nine for each limit:
#   group, "1" if forced, "f" or "s", rate, width, wanted, cost, "", ""           fixed and sliding_window
#   group, "1" if forced, "b", rate, full, its remainder, wanted, its remainder, cost    in microseconds
# Lines: the time, who took its cost (a digit for each), and what each counter was before. A counter is kept
# ten seconds longer than it says anything, for a replica whose clock is behind and that becomes the master.
TAKE = Script(
    f"local OVERDRAFT = {OVERDRAFT}"
    + """
local D = 1048576
local function product(a, b)
  local low = a * (b % D)
  local middle = a * (math.floor(b / D) % D) + math.floor(low / D)
  return a * math.floor(b / D / D) + math.floor(middle / D), middle % D, low % D
end
local function at_most(a, b, c, d)
  local x, y, z = product(a, b)
  local u, v, w = product(c, d)
  if x ~= u then return x < u end
  if y ~= v then return y < v end
  return z <= w
end

local function fixed(now, start, hits, _, rate, width, wanted, cost)
  if not start or start - now > width or start + width <= now then
    start, hits = now - math.fmod(now, width), 0
  end
  return hits + wanted <= rate, start + width - now, start, math.min(hits + cost, OVERDRAFT * rate)
end

local function sliding(now, start, hits, before, rate, width, wanted, cost)
  local aligned = now - math.fmod(now, width)
  if not start or start - now > width then start, hits, before = aligned, 0, 0 end
  if start < aligned then
    before = start + width == aligned and hits or 0
    start, hits = aligned, 0
  end
  local room = rate - hits - wanted
  local overlap = width - math.max(now - start, 0)
  local allowed = room >= 0 and at_most(before, overlap, room, width)
  return allowed, start + 2 * width - now, start, math.min(hits + cost, OVERDRAFT * rate), before
end

local function least(used, rest, most, most_rest)
  if used > most or used == most and rest > most_rest then return most, most_rest end
  return used, rest
end

local function bucket(now, instant, fraction, _, rate, full, full_rest, wanted, wanted_rest)
  local used, rest = (instant or now) - now, fraction or 0
  if used < 0 then used, rest = 0, 0 end
  local most_rest = math.fmod(OVERDRAFT * full_rest, rate)
  local most = OVERDRAFT * full + (OVERDRAFT * full_rest - most_rest) / rate
  used, rest = least(used, rest, most, most_rest)
  used, rest = used + wanted, rest + wanted_rest
  if rest >= rate then used, rest = used + 1, rest - rate end
  local allowed = used < full or used == full and rest <= full_rest
  used, rest = least(used, rest, most, most_rest)
  return allowed, used + (rest > 0 and 1 or 0), now + used, rest
end

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local steps = {f = fixed, s = sliding, b = bucket}
local reply, moves, refused = {string.format('%.0f', now), ''}, {}, {}
for i, key in ipairs(KEYS) do
  local at = 9 * i - 5
  local group, forced = ARGV[at - 2], ARGV[at - 1] == '1'
  local old = redis.call('GET', key) or ''
  local a, b, c = string.match(old, '^(%d+) (%d+) (%d+)$')
  if not a then old = '' end
  reply[i + 2] = old
  local n = {}
  for j = 1, 6 do n[j] = tonumber(ARGV[at + j]) end
  local allowed, life, x, y, z = steps[ARGV[at]](now, tonumber(a), tonumber(b), tonumber(c), unpack(n, 1, 6))
  if not (allowed or forced) then refused[group] = true end
  local cost = ARGV[at] == 'b' and n[6] or n[4]
  local state = string.format('%.0f %.0f %.0f', x, y, z or 0)
  moves[i] = cost > 0 and {state, math.ceil(life / 1000) + 10000, group}
end
for i, move in ipairs(moves) do
  local taken = move and not refused[move[3]]
  if taken then redis.call('SET', KEYS[i], move[1], 'PX', move[2]) end
  reply[2] = reply[2] .. (taken and '1' or '0')
end
return table.concat(reply, '\\n')
"""
)


SCRIPTS = (ADD, COMPARE_AND_SET, TAKE)


def take_arguments(wholes: Mapping[str, Limit], now: int | None) -> list[str]:
    """The arguments of TAKE for limits with their whole costs, by identity."""
    arguments = ["" if now is None else str(now)]
    for limit in wholes.values():
        cost = min(limit.cost, limit.most if limit.forced else limit.capacity + 1)  # which comes to the same
        arguments += [str(limit.group), "1" if limit.forced else "0"]
        arguments += (
            window_arguments(limit, cost) if "window" in limit.algorithm else bucket_arguments(limit, cost)
        )
    return arguments


def window_arguments(limit: Limit, cost: int) -> list[str]:
    """Seven for a window."""
    numbers = (limit.rate, limit.window_micros, cost or 1, cost)
    return [limit.algorithm[0], *map(str, numbers), "", ""]


def bucket_arguments(limit: Limit, cost: int) -> list[str]:
    """Seven for a bucket: what fills it, and what is wanted, as microseconds and parts of `rate` of one."""
    full = divmod(limit.capacity * limit.window_micros, limit.rate)
    wanted = divmod((cost or 1) * limit.window_micros, limit.rate)
    return ["b", *map(str, (limit.rate, *full, *wanted, cost))]


def read_take(reply: bytes, wholes: Mapping[str, Limit]) -> tuple[int, list[bool], dict[str, State]]:
    """The time, who took its cost, and the states before, out of a reply of TAKE."""
    now, taken, *lines = reply.split(b"\n")
    states: dict[str, State] = {}
    for (identity, limit), line in zip(wholes.items(), lines, strict=True):
        if line:
            length = 3 if limit.algorithm == "sliding_window" else 2
            states[identity] = tuple(map(int, line.split()))[:length]
    return int(now), [digit == ord("1") for digit in taken], states
