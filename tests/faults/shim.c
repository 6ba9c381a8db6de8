/* SPDX-License-Identifier: MIT */
/* shim.c — preloaded by the tests: lets an allocation fail, and sets the clock that people read.
 *
 * What is to happen stands on a page that the test maps, too (FAULTS_PAGE names its file; run.py
 * has the same layout). Works with AddressSanitizer, whose allocator is then asked.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { FRAMES = 24, STACKS = 5, NAMES = 1024 };

#define EXPORTED __attribute__((visibility("default")))

struct page {
    _Atomic uint32_t pid;   /* whose allocations count; 0: nobody's, ~0: everybody's */
    _Atomic uint32_t first; /* the number of the one that fails */
    _Atomic uint32_t times; /* it and those behind it */
    _Atomic uint32_t calls; /* counted so far */
    _Atomic uint32_t fired;
    uint64_t frames[STACKS][FRAMES]; /* who asked for those that failed, and who called it */
    _Atomic int64_t ahead_s;         /* of the true time of day */
    char names[NAMES];               /* of the last that failed: libraries' functions */
};

/* With AddressSanitizer, its own; else libc's. */
void *__interceptor_malloc(size_t size) __attribute__((weak));
void *__interceptor_calloc(size_t count, size_t size) __attribute__((weak));
void *__interceptor_realloc(void *old, size_t size) __attribute__((weak));
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static struct page *page;
static _Thread_local bool tracing;

/* What a library exports has a name here. The program's own do not: run.py finds those. */
static void name_who(void *const frames[FRAMES])
{
    size_t len = 0;
    Dl_info about;
    for (size_t i = 0; i < FRAMES && frames[i] && len < NAMES; i++) {
        if (dladdr(frames[i], &about) != 0 && about.dli_sname)
            len += (size_t)snprintf(page->names + len, NAMES - len, " < %s", about.dli_sname);
    }
}

static void remember_who(uint32_t number)
{
    void *frames[FRAMES] = {NULL};
    tracing = true;
    (void)backtrace(frames, FRAMES);
    name_who(frames);
    tracing = false;
    for (size_t i = 0; i < FRAMES; i++)
        page->frames[number % STACKS][i] = (uint64_t)(uintptr_t)frames[i];
}

__attribute__((constructor)) static void map_page(void)
{
    const char *path = getenv("FAULTS_PAGE");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *at =
        fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        (void)close(fd);
    if (at == MAP_FAILED)
        return;
    page = at;
    remember_who(0); /* loads what it needs, while that is allowed */
}

static bool fails(void)
{
    uint32_t pid = page && !tracing ? page->pid : 0;
    if (pid == 0 || (pid != ~0U && pid != (uint32_t)getpid()))
        return false;
    uint32_t number = ++page->calls;
    if (number < page->first || number - page->first >= page->times)
        return false;
    remember_who(page->fired++);
    errno = ENOMEM;
    return true;
}

EXPORTED void *malloc(size_t size)
{
    if (fails())
        return NULL;
    return __interceptor_malloc ? __interceptor_malloc(size) : __libc_malloc(size);
}

EXPORTED void *calloc(size_t count, size_t size)
{
    if (fails())
        return NULL;
    return __interceptor_calloc ? __interceptor_calloc(count, size) : __libc_calloc(count, size);
}

EXPORTED void *realloc(void *old, size_t size)
{
    if (fails())
        return NULL;
    return __interceptor_realloc ? __interceptor_realloc(old, size) : __libc_realloc(old, size);
}

/* libc's own are bound to its own malloc with AddressSanitizer, which has them again. */
static char *copy_text(const char *text, size_t len)
{
    if (fails())
        return NULL;
    char *copy = __interceptor_malloc ? __interceptor_malloc(len + 1) : __libc_malloc(len + 1);
    if (!copy)
        return NULL;
    copy[len] = '\0';
    return memcpy(copy, text, len);
}

EXPORTED char *strndup(const char *text, size_t max)
{
    return copy_text(text, strnlen(text, max));
}

EXPORTED char *strdup(const char *text)
{
    return copy_text(text, strlen(text));
}

/* --- the time of day --- */

static int64_t ahead_s(void)
{
    return page ? page->ahead_s : 0;
}

EXPORTED int clock_gettime(clockid_t clock, struct timespec *now)
{
    int rc = (int)syscall(SYS_clock_gettime, clock, now);
    if (rc == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += ahead_s();
    return rc;
}

EXPORTED int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec exact;
    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &exact);
    *now = (struct timeval){exact.tv_sec, exact.tv_nsec / 1000};
    return 0;
}

EXPORTED time_t time(time_t *ret_now)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (ret_now)
        *ret_now = now.tv_sec;
    return now.tv_sec;
}
