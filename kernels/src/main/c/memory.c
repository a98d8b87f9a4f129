/* Memory of weights. What kernels lay out is in huge pages where the system grants them, because a stream of weights otherwise waits for a page's address every 4 KiB. Not cleared. */
#include "obrkernels.h"

#include <stdlib.h>
#if !defined(_WIN32)
#include <sys/mman.h>
#include <unistd.h>
#endif

enum { HUGE_PAGE = 2 << 20 };

void *obr_allocate(int64_t bytes) {
#if defined(_WIN32)
    return _aligned_malloc((size_t)bytes, 64);
#else
    void *memory = NULL;
    int huge = bytes >= HUGE_PAGE;
    if (posix_memalign(&memory, huge ? HUGE_PAGE : 64, (size_t)bytes)) return NULL;
#if defined(MADV_HUGEPAGE)
    if (huge) madvise(memory, (size_t)bytes, MADV_HUGEPAGE); /* a wish: refused, the memory serves as well */
#endif
    return memory;
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

void obr_release(void *memory) {
#if defined(_WIN32)
    _aligned_free(memory);
#else
    free(memory);
#endif
}
