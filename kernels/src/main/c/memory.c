/* Memory of weights. What kernels lay out is in huge pages where the system grants them, because a stream of weights otherwise waits for a page's address every 4 KiB. Not cleared.
 * Large pieces are mapped one by one, so that a model that was closed leaves nothing with the C library, whose heap keeps what was freed in its middle. */
#include "obrkernels.h"

#include <stdlib.h>
#if !defined(_WIN32)
#include <sys/mman.h>
#include <unistd.h>
#endif

enum { HUGE_PAGE = 2 << 20 };

#if !defined(_WIN32)
static size_t whole_pages(size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + page - 1) / page * page;
}

/* whole pages that begin with a huge one; null where there are none left */
static void *map(size_t bytes) {
    size_t size = whole_pages(bytes);
    uint8_t *mapped = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return NULL;
    size_t before = (HUGE_PAGE - (uintptr_t)mapped % HUGE_PAGE) % HUGE_PAGE;
    if (before) munmap(mapped, before);
    munmap(mapped + before + size, HUGE_PAGE - before);
#if defined(MADV_HUGEPAGE)
    madvise(mapped + before, size, MADV_HUGEPAGE); /* a wish: refused, the memory serves as well */
#endif
    return mapped + before;
}
#endif

void *obr_allocate(int64_t bytes) {
#if defined(_WIN32)
    return _aligned_malloc((size_t)bytes, 64);
#else
    if (bytes >= HUGE_PAGE) return map((size_t)bytes);
    void *memory = NULL;
    return posix_memalign(&memory, 64, (size_t)bytes) ? NULL : memory;
#endif
}

void obr_forget(void *memory, int64_t bytes) {
#if !defined(_WIN32) && defined(MADV_DONTNEED)
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = (uintptr_t)memory;
    uintptr_t from = (start + page - 1) / page * page, to = (start + (uintptr_t)bytes) / page * page;
    if (from < to) madvise((void *)from, to - from, MADV_DONTNEED); /* a wish, too */
#else
    (void)memory, (void)bytes;
#endif
}

void obr_release(void *memory, int64_t bytes) {
#if defined(_WIN32)
    (void)bytes;
    _aligned_free(memory);
#else
    if (bytes >= HUGE_PAGE)
        munmap(memory, whole_pages((size_t)bytes));
    else
        free(memory);
#endif
}
