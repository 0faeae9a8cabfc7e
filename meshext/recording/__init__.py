"""Exchanges written to a file and read again: the format, what is redacted, who writes and who reads.

The file is JSON Lines: one exchange in a line, ASCII, written when the exchange ends (so in the order of
ends, not of beginnings). It has mode 0600 and is only ever appended to, so several workers share one, and it
may be cut or joined at line ends. A line that its writer could not finish is taken away by the next writer,
and left out by readers. Of each exchange a line has what the filters saw of it, as Envoy told it:

    recording       the version of the format, 1; whoever reads refuses any other
    time, seconds   when it began (seconds since 1970), and for how long it was open in the service
    id              x-request-id, as far as it is fit for a log
    mode            "authz" (ext_authz) or "proc" (ext_proc)
    served          who decided: {specs, config: a digest of the configurations, filters: their names,
                    attributes, metadata: what Envoy was asked to tell, redacted: headers without values}
    peer            {principal: a SPIFFE ID or null, address, tls}
    client_address, route, cluster
    request, response   messages; there is no response where the filters did not see one
    decision        what the filters did

A message is {headers, body, trailers, attributes, metadata}:

    headers, trailers   pairs [name, value] in their order, names in lower case, pseudo-headers such as
                    ":path" first. A value is a text; {"base64": ...} where it is not UTF-8;
                    {"redacted": true} where it is not kept
    body            {size: in bytes, text or base64: its beginning (all of it, up to 1 MiB and a byte),
                    chunks: the size of each where it came in chunks, [] where there was no body at all,
                    more: true where it went on unseen}
    attributes      those that Envoy sent by name; {"bytes": base64} for bytes. `request.path` and others that
                    follow from the headers are left out
    metadata        by namespace

Where Envoy was not asked for body or trailers, the key is missing.

A decision is {outcome, sent, filter, request, response, additions, answer, reset, metadata, hooks}; what is
empty is left out:

    outcome, filter how it ended and who decided so; the words are those of `meshext.engine.observer.Decision`
    sent            whether the request went on to the upstream
    request, response   what became of the message: {headers: {remove: names, set: [[name, values], ...]},
                    body, trailers: as headers}
    answer          what the client got instead: {status, headers, body, details}
    additions       what filters of the request put on the response: [{add: headers, replace: names}, ...]
    reset           why a response that had begun was cut off
    metadata        what filters wrote, by namespace
    hooks           [{filter, hook, runs, seconds, failed: [[kind, text], ...]}, ...]

The values of `authorization`, `cookie`, `proxy-authorization`, `set-cookie` and of every header named by
`--redact` are not kept, wherever the header stands. Everything else is: paths and queries, bodies, metadata
(such as a JWT's claims), texts of failures.
"""
