"""Dynamic metadata for filters that run inside Envoy: what a module wrote, copied to where Envoy has it.

proxy-wasm has no function for dynamic metadata (envoyproxy/envoy#15148). What a module may write is the
stream's filter state, as `wasm.` and a name of its own; Lua can read that and write metadata. So the module
puts what its filters wrote under each namespace there, in a form that needs no parser to speak of
(`meshext_wasm.library.proxy.written`), and these lines copy it. `envoy.extensions.filters.http.lua.v3.Lua`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from meshext.envoy.messages import builds_messages

if TYPE_CHECKING:
    from envoy_data_plane.envoy.extensions.filters.http.lua.v3 import Lua

_COPY = """\
local namespaces = {%s}

local function decode(text, at)
  local kind = text:sub(at, at)
  if kind == "t" or kind == "f" then
    return kind == "t", at + 1
  end
  local stop = text:find(":", at, true)
  local number = tonumber(text:sub(at + 1, stop - 1))
  if kind == "n" then
    return number, stop + 1
  elseif kind == "s" then
    return text:sub(stop + 1, stop + number), stop + number + 1
  end
  local made = {}
  at = stop + 1
  for index = 1, number do
    local key = index
    if kind == "d" then
      key, at = decode(text, at)
    end
    made[key], at = decode(text, at)
  end
  return made, at
end

local function copy(handle)
  local info = handle:streamInfo()
  for _, namespace in ipairs(namespaces) do
    local written = info:filterState():get("wasm." .. namespace)
    if written then
      for key, value in pairs((decode(written, 1))) do
        info:dynamicMetadata():set(namespace, key, value)
      end
    end
  end
end
"""

_REQUEST = """
function envoy_on_request(handle)
  copy(handle)
end
"""

_RESPONSE = """
function envoy_on_response(handle)
  copy(handle)
  %s
end
"""

_TO_THE_END = """for _ in handle:bodyChunks() do
  end
  handle:trailers()
  copy(handle)"""


@builds_messages
def build_request_copy(namespaces: Sequence[str]) -> Lua:
    """What stands behind the module: the request meets it next."""
    return _build_lua(_COPY % _names(namespaces) + _REQUEST)


@builds_messages
def build_response_copy(namespaces: Sequence[str], *, to_the_end: bool) -> Lua:
    """What stands before the module: the response meets it next, and so does an answer of the module's own.

    `to_the_end`: filters write when the response's headers have left, in hooks for chunks or trailers.
    """
    return _build_lua(_COPY % _names(namespaces) + _RESPONSE % (_TO_THE_END if to_the_end else ""))


def _names(namespaces: Sequence[str]) -> str:
    return ", ".join(json.dumps(name, ensure_ascii=False) for name in namespaces)


def _build_lua(text: str) -> Lua:
    from envoy_data_plane.envoy.config.core.v3 import DataSource
    from envoy_data_plane.envoy.extensions.filters.http.lua.v3 import Lua

    return Lua(default_source_code=DataSource(inline_string=text))
