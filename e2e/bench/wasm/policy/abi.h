/* What policy.c and empty.c need of the proxy-wasm ABI 0.2.1:
   https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1 */

typedef unsigned int u32;

#define IMPORT(name) __attribute__((import_module("env"), import_name(#name)))
#define EXPORT(name) __attribute__((export_name(#name)))

enum { OK = 0 };
enum { CONTINUE = 0, PAUSE = 1 };
enum { REQUEST_HEADERS = 0 };
enum { NO_GRPC_STATUS = 0xFFFFFFFF };

/* The host asks for the memory of what it hands over, and never gives it back: a callback begins with all of
   it. It is more than Envoy takes of headers; where it is used up, the host's call fails. */
static unsigned char memory[1 << 17];
static u32 used;

EXPORT(proxy_abi_version_0_2_1) void abi_version(void) {}

EXPORT(proxy_on_memory_allocate) void *allocate(u32 size) {
    if (size > sizeof memory - used) return 0;
    void *given = memory + used;
    used += (size + 7) & ~7u;
    return given;
}
