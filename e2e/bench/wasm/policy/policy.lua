local USERS = { ["k-4f2a91"] = "ann" }

function envoy_on_request(handle)
  local headers = handle:headers()
  local user = USERS[headers:get("x-key") or ""]
  if user == nil then
    handle:respond({ [":status"] = "403" }, "no such key\n")
    return
  end
  headers:replace("x-user", user)
end
