/* A filter that does nothing: what it costs to be one. */

#include "abi.h"

EXPORT(proxy_on_request_headers) u32 on_request_headers(u32 context, u32 count, u32 end) {
    (void)context, (void)count, (void)end;
    return CONTINUE;
}
