/* Another time of day for whatever loads this (LD_PRELOAD), Envoy included: the real one and as many seconds
   more as /tmp/offset has, a 64-bit number that may be written while it runs. Intervals stay as they are.

   tcc -shared -nostdlib -o clock.so clock.c    declares what it needs itself: there are no headers in the image */

#if defined(__x86_64__)
#define CLOCK_GETTIME 228
#else
#define CLOCK_GETTIME 113 /* of arm64 */
#endif
#define REALTIME 0
#define REALTIME_COARSE 5

struct moment {
    long seconds, rest;
};

extern long syscall(long number, ...);
extern int open(const char *path, int flags, ...);
extern void *mmap(void *where, unsigned long length, int protection, int flags, int file, long offset);

static const volatile long nothing = 0;
static const volatile long *offset;

static long find_offset(void)
{
    if (!offset) {
        int file = open("/tmp/offset", 0 /* O_RDONLY */);
        void *found = file < 0 ? (void *)-1 : mmap(0, 8, 1 /* PROT_READ */, 1 /* MAP_SHARED */, file, 0);
        offset = found == (void *)-1 ? &nothing : found;
    }
    return *offset;
}

int clock_gettime(int clock, struct moment *now)
{
    int failed = (int)syscall(CLOCK_GETTIME, (long)clock, now);
    if (!failed && (clock == REALTIME || clock == REALTIME_COARSE))
        now->seconds += find_offset();
    return failed;
}

int gettimeofday(struct moment *now, void *zone)
{
    int failed = clock_gettime(REALTIME, now);
    now->rest /= 1000;
    return failed;
}

long time(long *told)
{
    struct moment now;
    clock_gettime(REALTIME, &now);
    if (told)
        *told = now.seconds;
    return now.seconds;
}
