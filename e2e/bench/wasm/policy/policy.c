/* policy.py by hand: the least that does the same, and refuses whatever goes wrong. */

#include "abi.h"

IMPORT(proxy_get_header_map_value)
u32 get_header(u32 map, const char *name, u32 name_size, const char **value, u32 *value_size);

IMPORT(proxy_replace_header_map_value)
u32 replace_header(u32 map, const char *name, u32 name_size, const char *value, u32 value_size);

IMPORT(proxy_send_local_response)
u32 respond(u32 status, const char *details, u32 details_size, const char *body, u32 body_size,
            const char *headers, u32 headers_size, u32 grpc_status);

#define TEXT(literal) literal, sizeof literal - 1

static const struct {
    const char *key;
    u32 key_size;
    const char *name;
    u32 name_size;
} USERS[] = {
    {TEXT("k-4f2a91"), TEXT("ann")},
};

static int equal(const char *left, const char *right, u32 size) {
    for (u32 at = 0; at < size; at++)
        if (left[at] != right[at]) return 0;
    return 1;
}

static u32 refuse(u32 status, const char *body, u32 body_size) {
    respond(status, 0, 0, body, body_size, 0, 0, NO_GRPC_STATUS);
    return PAUSE;
}

EXPORT(proxy_on_request_headers) u32 on_request_headers(u32 context, u32 count, u32 end) {
    (void)context, (void)count, (void)end;
    const char *key;
    u32 size;
    used = 0;
    if (get_header(REQUEST_HEADERS, TEXT("x-key"), &key, &size) == OK)
        for (u32 at = 0; at < sizeof USERS / sizeof *USERS; at++)
            if (size == USERS[at].key_size && equal(key, USERS[at].key, size)) {
                u32 set = replace_header(REQUEST_HEADERS, TEXT("x-user"), USERS[at].name, USERS[at].name_size);
                return set == OK ? CONTINUE : refuse(500, 0, 0);
            }
    return refuse(403, TEXT("no such key\n"));
}
