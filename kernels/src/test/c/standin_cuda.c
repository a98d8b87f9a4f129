/*
 * A CUDA driver without a GPU, for tests: built as a library with the soname libcuda.so.1 and loaded before JCuda, it stands in for NVIDIA's, so that the code which a user runs is the code
 * that is tested. Kernels go to whoever registered itself (the PTX emulator in Java, called back through the functions of struct standin_kernels).
 *
 *   Java: CudaDevice -> JCuda -> libJCudaDriver.so -> cuLaunchKernel, here -> standin_kernels.launch -> Java: Emulator
 *
 * Strict where a driver is lenient:
 *   - device addresses are no host addresses (they begin at 2^48), are never used twice, and lie apart: whoever mixes or outlives them gets CUDA_ERROR_INVALID_VALUE;
 *   - streams are lazy: queued work runs when somebody waits, and until then the target of a copy to the host holds 0xD5;
 *   - a handle that was freed, or is of another kind, gives CUDA_ERROR_INVALID_HANDLE: handles are addresses in a table that is never reused.
 * As a driver does, it keeps the error of a failed kernel and gives it to every later call.
 *
 * Functions that CudaDevice does not call are no part of this file: the test generates weak ones that return CUDA_ERROR_NOT_SUPPORTED (an undefined symbol would end the JVM).
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, NO_DEVICE = 100, INVALID_DEVICE = 101, INVALID_CONTEXT = 201,
    INVALID_PTX = 218, INVALID_HANDLE = 400, NOT_FOUND = 500, NOT_READY = 600, LAUNCH_FAILED = 719, CAPTURE_UNSUPPORTED = 900
};

enum { MOST_PARAMETERS = 1024, DEFAULT_SHARED = 48 << 10, POISON = 0xD5, GARBAGE = 0xFF };

typedef uint64_t device_address;

#define FIRST_ADDRESS (1ull << 48)
#define GAP (1ull << 16)

/* ---- what the test configures and asks ---- */

struct standin_kernels {
    /* PTX -> number of a module, or 0 with the reason in log */
    int32_t (*load)(const char *ptx, char *log, uint64_t log_bytes);
    /* number of a kernel, or 0; the bytes of its parameters and its static shared memory */
    int32_t (*kernel)(int32_t module, const char *name, int32_t *parameters, int32_t *parameter_bytes, int32_t *shared_bytes);
    /* runs; shape is grid x y z, block x y z, dynamic shared bytes; 0 or the CUresult of the failure */
    int32_t (*launch)(int32_t kernel, const int32_t *shape, const uint64_t *values);
    void (*mapped)(device_address address, void *host, uint64_t bytes);
    void (*unmapped)(device_address address);
};

struct standin_options {
    int32_t init_result, driver_version, devices, major, minor, shared_limit;
    uint64_t memory_bytes;
};

static struct standin_kernels kernels;
static struct standin_options options = {SUCCESS, 12000, 1, 8, 0, 163 << 10, 64 << 20};

void standin_register(const struct standin_kernels *functions) { kernels = *functions; }
void standin_configure(const struct standin_options *chosen) { options = *chosen; }

/* ---- handles ---- */

enum kind { FREED, STREAM, EVENT, MODULE, FUNCTION, GRAPH, EXECUTABLE };

struct operation;
struct queue { struct operation *head, *tail; };

struct handle {
    enum kind kind;
    struct queue queue;                          /* STREAM, GRAPH, EXECUTABLE */
    struct handle *capture;                      /* STREAM: the graph that it records into */
    struct handle *on; uint64_t recorded, passed; struct timespec time;   /* EVENT */
    int32_t number, parameters, shared, allowed; int32_t bytes[MOST_PARAMETERS];   /* MODULE, FUNCTION */
    struct handle *module;                       /* FUNCTION */
    struct handle *next;
};

static struct handle *handles;   /* all that ever were: freed ones stay, marked */

static struct handle *make(enum kind kind) {
    struct handle *made = calloc(1, sizeof *made);
    made->kind = kind;
    made->next = handles;
    return handles = made;
}

static int is(const void *handle, enum kind kind) {
    for (struct handle *known = handles; known; known = known->next)
        if (known == handle) return known->kind == kind;
    return 0;
}

/* How many things of the program's are not freed. */
int32_t standin_live(void);

/* ---- memory ---- */

struct allocation { device_address address; uint64_t bytes; char *host; int live; struct allocation *next; };

static struct allocation *allocations;
static device_address next_address = FIRST_ADDRESS;
static uint64_t used_bytes;
static int32_t pinned;

static char *resolve(device_address address, uint64_t bytes) {
    for (struct allocation *a = allocations; a; a = a->next)
        if (a->live && address >= a->address && address <= a->address + a->bytes && bytes <= a->address + a->bytes - address)
            return a->host + (address - a->address);
    return NULL;
}

static int is_host(const void *pointer) { return pointer && (uint64_t)(uintptr_t)pointer < FIRST_ADDRESS; }

/* ---- state ---- */

static int initialised;
static int retained;
static int sticky;
static __thread void *current;
static int context;   /* its address is the context */

#define ENTER() do { \
        if (!initialised) return NOT_INITIALIZED; \
        if (current != &context || !retained) return INVALID_CONTEXT; \
        if (sticky) return sticky; \
    } while (0)

/* ---- work ---- */

enum what { COPY_IN, COPY_OUT, COPY, FILL, LAUNCH, RECORD, AWAIT, CALL };

struct operation {
    enum what what;
    device_address to, from;
    void *host;
    uint64_t bytes;
    unsigned char value;
    struct handle *handle;   /* the function or the event */
    uint64_t recording;
    int32_t shape[7];
    uint64_t *values;
    int (*run)(const void *arguments);   /* CALL */
    void *arguments;
    struct operation *next;
};

static void append(struct queue *queue, const struct operation *operation) {
    struct operation *copy = malloc(sizeof *copy);
    *copy = *operation;
    copy->next = NULL;
    if (operation->what == LAUNCH) {
        size_t bytes = sizeof(uint64_t) * (operation->handle->parameters + 1);
        copy->values = memcpy(malloc(bytes), operation->values, bytes);
    }
    if (queue->tail) queue->tail->next = copy; else queue->head = copy;
    queue->tail = copy;
}

static void discard(struct operation *operation) {
    if (operation->what == LAUNCH) free(operation->values);
    if (operation->what == CALL) free(operation->arguments);
    free(operation);
}

static struct operation *take(struct queue *queue) {
    struct operation *first = queue->head;
    queue->head = first->next;
    if (!queue->head) queue->tail = NULL;
    return first;
}

static void clear(struct queue *queue) {
    while (queue->head) {
        struct operation *first = take(queue);
        discard(first);
    }
}

static int submit(struct handle *stream, const struct operation *operation) {
    if (stream->capture) {
        append(&stream->capture->queue, operation);
        return SUCCESS;
    }
    if (operation->what == COPY_OUT) memset(operation->host, POISON, operation->bytes);
    append(&stream->queue, operation);
    return SUCCESS;
}

static void run_until(struct handle *stream, struct handle *event, uint64_t recording);

/* What the test wants to go wrong: the n-th allocation from now on, or the n-th launch or library's call. */
static int32_t allocations_left, work_left;

void standin_fail(int32_t allocation, int32_t work) { allocations_left = allocation; work_left = work; }

static void perform(const struct operation *o) {
    if ((o->what == LAUNCH || o->what == CALL) && work_left && !--work_left) {
        sticky = LAUNCH_FAILED;
        return;
    }
    char *to = NULL, *from = NULL;
    switch (o->what) {
    case COPY_IN: case FILL: to = resolve(o->to, o->bytes); break;
    case COPY_OUT: from = resolve(o->from, o->bytes); break;
    case COPY: to = resolve(o->to, o->bytes); from = resolve(o->from, o->bytes); break;
    default: break;
    }
    int lost = (o->what != COPY_OUT && o->what <= FILL && !to) || ((o->what == COPY_OUT || o->what == COPY) && !from);
    if (lost) { sticky = 700; return; }   /* freed since it was queued */
    switch (o->what) {
    case COPY_IN: memcpy(to, o->host, o->bytes); break;
    case COPY_OUT: memcpy(o->host, from, o->bytes); break;
    case COPY: memmove(to, from, o->bytes); break;
    case FILL: memset(to, o->value, o->bytes); break;
    case LAUNCH: {
        int result = kernels.launch(o->handle->number, o->shape, o->values);
        if (result) sticky = result;
        break;
    }
    case RECORD:
        o->handle->passed = o->recording;
        clock_gettime(CLOCK_MONOTONIC, &o->handle->time);
        break;
    case AWAIT: run_until(o->handle->on, o->handle, o->recording); break;
    case CALL: {
        int result = o->run(o->arguments);
        if (result) sticky = result;
        break;
    }
    }
}

/* Runs the stream's work in order, up to a recording of an event or (event NULL) to its end; after a failure nothing runs. */
static void run_until(struct handle *stream, struct handle *event, uint64_t recording) {
    while (stream->queue.head && !(event && event->passed >= recording)) {
        struct operation *first = take(&stream->queue);
        if (!sticky) perform(first);
        discard(first);
    }
}

/* All streams, the newest first: whoever forgot an event gets the wrong order. */
static void run_all(void) {
    for (struct handle *h = handles; h; h = h->next)
        if (h->kind == STREAM) run_until(h, NULL, 0);
}

static int capturing(void) {
    for (struct handle *h = handles; h; h = h->next)
        if (h->kind == STREAM && h->capture) return 1;
    return 0;
}

/* ---- the driver, its devices, the context ---- */

int cuInit(unsigned flags) {
    if (flags) return INVALID_VALUE;
    if (options.init_result) return options.init_result;
    initialised = 1;
    return SUCCESS;
}

int cuDriverGetVersion(int *version) { *version = options.driver_version; return SUCCESS; }

int cuGetErrorString(int error, const char **text) {
    static const struct { int error; const char *text; } texts[] = {
        {SUCCESS, "no error"}, {INVALID_VALUE, "invalid argument"}, {OUT_OF_MEMORY, "out of memory"}, {INVALID_PTX, "a PTX JIT compilation failed"},
        {INVALID_HANDLE, "invalid resource handle"}, {700, "an illegal memory access was encountered"}, {LAUNCH_FAILED, "unspecified launch failure"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].error == error) { *text = texts[i].text; return SUCCESS; }
    *text = NULL;
    return INVALID_VALUE;
}

int cuDeviceGetCount(int *count) {
    if (!initialised) return NOT_INITIALIZED;
    *count = options.devices;
    return SUCCESS;
}

int cuDeviceGet(int *device, int index) {
    if (!initialised) return NOT_INITIALIZED;
    if (index < 0 || index >= options.devices) return INVALID_DEVICE;
    *device = index;
    return SUCCESS;
}

int cuDeviceGetName(char *name, int bytes, int device) {
    if (device < 0 || device >= options.devices) return INVALID_DEVICE;
    strncpy(name, "Stand-in GPU", bytes);
    return SUCCESS;
}

int cuDeviceTotalMem_v2(size_t *bytes, int device) {
    if (device < 0 || device >= options.devices) return INVALID_DEVICE;
    *bytes = options.memory_bytes;
    return SUCCESS;
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
    if (device < 0 || device >= options.devices) return INVALID_DEVICE;
    switch (attribute) {
    case 8: *value = DEFAULT_SHARED; return SUCCESS;
    case 16: *value = 4; return SUCCESS;
    case 75: *value = options.major; return SUCCESS;
    case 76: *value = options.minor; return SUCCESS;
    case 97: *value = options.shared_limit; return SUCCESS;
    default: return INVALID_VALUE;
    }
}

int cuDevicePrimaryCtxRetain(void **made, int device) {
    if (!initialised) return NOT_INITIALIZED;
    if (device) return INVALID_DEVICE;
    retained++;
    *made = &context;
    return SUCCESS;
}

int cuDevicePrimaryCtxRelease_v2(int device) {
    if (device || !retained) return INVALID_CONTEXT;
    if (--retained) return SUCCESS;
    if (sticky) {   /* which nobody could free since: they go with the context */
        for (struct handle *h = handles; h; h = h->next) h->kind = FREED;
        pinned = 0;
    }
    sticky = SUCCESS;   /* a new context begins anew */
    return SUCCESS;
}

int cuCtxSetCurrent(void *chosen) {
    if (chosen && chosen != &context) return INVALID_CONTEXT;
    current = chosen;
    return SUCCESS;
}

int cuCtxSynchronize(void) {
    ENTER();
    if (capturing()) return CAPTURE_UNSUPPORTED;
    run_all();
    return sticky;
}

/* ---- memory ---- */

int cuMemGetInfo_v2(size_t *available, size_t *total) {
    ENTER();
    *available = options.memory_bytes - used_bytes;
    *total = options.memory_bytes;
    return SUCCESS;
}

int cuMemAlloc_v2(device_address *address, size_t bytes) {
    ENTER();
    if (!bytes) return INVALID_VALUE;
    if (bytes > options.memory_bytes - used_bytes || (allocations_left && !--allocations_left)) return OUT_OF_MEMORY;
    struct allocation *a = malloc(sizeof *a);
    *a = (struct allocation){next_address, bytes, memset(malloc(bytes), GARBAGE, bytes), 1, allocations};
    allocations = a;
    used_bytes += bytes;
    next_address = (next_address + bytes + GAP + 255) & ~255ull;
    kernels.mapped(a->address, a->host, bytes);
    *address = a->address;
    return SUCCESS;
}

int cuMemFree_v2(device_address address) {
    if (!initialised || current != &context) return INVALID_CONTEXT;
    for (struct allocation *a = allocations; a; a = a->next)
        if (a->live && a->address == address) {   /* at once: a driver may, too */
            kernels.unmapped(address);
            free(a->host);
            a->live = 0;
            used_bytes -= a->bytes;
            return sticky;
        }
    return INVALID_VALUE;
}

int cuMemAllocHost_v2(void **pointer, size_t bytes) {
    ENTER();
    *pointer = malloc(bytes);
    pinned++;
    return SUCCESS;
}

int cuMemFreeHost(void *pointer) {
    free(pointer);
    pinned--;
    return sticky;
}

int cuMemcpyHtoDAsync_v2(device_address to, const void *from, size_t bytes, struct handle *stream) {
    ENTER();
    if (!is(stream, STREAM)) return INVALID_HANDLE;
    if (!resolve(to, bytes) || !is_host(from)) return INVALID_VALUE;
    return submit(stream, &(struct operation){.what = COPY_IN, .to = to, .host = (void *)from, .bytes = bytes});
}

int cuMemcpyDtoHAsync_v2(void *to, device_address from, size_t bytes, struct handle *stream) {
    ENTER();
    if (!is(stream, STREAM)) return INVALID_HANDLE;
    if (!resolve(from, bytes) || !is_host(to)) return INVALID_VALUE;
    return submit(stream, &(struct operation){.what = COPY_OUT, .from = from, .host = to, .bytes = bytes});
}

int cuMemcpyDtoDAsync_v2(device_address to, device_address from, size_t bytes, struct handle *stream) {
    ENTER();
    if (!is(stream, STREAM)) return INVALID_HANDLE;
    if (!resolve(to, bytes) || !resolve(from, bytes)) return INVALID_VALUE;
    return submit(stream, &(struct operation){.what = COPY, .to = to, .from = from, .bytes = bytes});
}

int cuMemsetD8Async(device_address to, unsigned char value, size_t bytes, struct handle *stream) {
    ENTER();
    if (!is(stream, STREAM)) return INVALID_HANDLE;
    if (!resolve(to, bytes)) return INVALID_VALUE;
    return submit(stream, &(struct operation){.what = FILL, .to = to, .value = value, .bytes = bytes});
}

/* ---- streams and events ---- */

int cuStreamCreate(struct handle **stream, unsigned flags) {
    ENTER();
    if (flags > 1) return INVALID_VALUE;
    *stream = make(STREAM);
    return SUCCESS;
}

int cuStreamDestroy_v2(struct handle *stream) {
    if (!is(stream, STREAM)) return INVALID_HANDLE;
    run_until(stream, NULL, 0);
    stream->kind = FREED;
    return sticky;
}

int cuStreamSynchronize(struct handle *stream) {
    ENTER();
    if (!is(stream, STREAM)) return INVALID_HANDLE;
    if (stream->capture) return CAPTURE_UNSUPPORTED;
    run_until(stream, NULL, 0);
    return sticky;
}

int cuEventCreate(struct handle **event, unsigned flags) {
    ENTER();
    if (flags) return INVALID_VALUE;
    *event = make(EVENT);
    return SUCCESS;
}

int cuEventDestroy_v2(struct handle *event) {
    if (!is(event, EVENT)) return INVALID_HANDLE;
    run_all();   /* whoever waits for it */
    event->kind = FREED;
    return sticky;
}

int cuEventRecord(struct handle *event, struct handle *stream) {
    ENTER();
    if (!is(event, EVENT) || !is(stream, STREAM)) return INVALID_HANDLE;
    if (stream->capture) return CAPTURE_UNSUPPORTED;
    event->on = stream;
    return submit(stream, &(struct operation){.what = RECORD, .handle = event, .recording = ++event->recorded});
}

int cuStreamWaitEvent(struct handle *stream, struct handle *event, unsigned flags) {
    ENTER();
    if (!is(event, EVENT) || !is(stream, STREAM)) return INVALID_HANDLE;
    if (flags) return INVALID_VALUE;
    if (stream->capture) return CAPTURE_UNSUPPORTED;
    return event->on ? submit(stream, &(struct operation){.what = AWAIT, .handle = event, .recording = event->recorded}) : SUCCESS;
}

int cuEventSynchronize(struct handle *event) {
    ENTER();
    if (!is(event, EVENT)) return INVALID_HANDLE;
    if (event->on) run_until(event->on, event, event->recorded);
    return sticky;
}

int cuEventElapsedTime(float *millis, struct handle *start, struct handle *end) {
    ENTER();
    if (!is(start, EVENT) || !is(end, EVENT) || !start->recorded || !end->recorded) return INVALID_HANDLE;
    if (start->passed < start->recorded || end->passed < end->recorded) return NOT_READY;
    *millis = (end->time.tv_sec - start->time.tv_sec) * 1e3f + (end->time.tv_nsec - start->time.tv_nsec) / 1e6f;
    return SUCCESS;
}

/* ---- modules and kernels ---- */

int cuModuleLoadDataEx(struct handle **module, const void *image, unsigned count, const int *keys, void **values) {
    ENTER();
    char nowhere[1] = "";
    char *log = nowhere;
    uint64_t bytes = 0;
    for (unsigned i = 0; i < count; i++) {
        if (keys[i] == 5) log = values[i];
        else if (keys[i] == 6) bytes = (uintptr_t)values[i];
        else return INVALID_VALUE;
    }
    int32_t number = kernels.load(image, log, bytes);
    if (!number) return INVALID_PTX;
    *module = make(MODULE);
    (*module)->number = number;
    return SUCCESS;
}

int cuModuleUnload(struct handle *module) {
    if (!is(module, MODULE)) return INVALID_HANDLE;
    run_all();
    module->kind = FREED;
    for (struct handle *h = handles; h; h = h->next)
        if (h->kind == FUNCTION && h->module == module) h->kind = FREED;
    return sticky;
}

int cuModuleGetFunction(struct handle **function, struct handle *module, const char *name) {
    ENTER();
    if (!is(module, MODULE)) return INVALID_HANDLE;
    struct handle *made = make(FUNCTION);
    made->module = module;
    made->number = kernels.kernel(module->number, name, &made->parameters, made->bytes, &made->shared);
    if (!made->number) { made->kind = FREED; return NOT_FOUND; }
    made->allowed = DEFAULT_SHARED - made->shared;
    *function = made;
    return SUCCESS;
}

int cuFuncGetAttribute(int *value, int attribute, struct handle *function) {
    ENTER();
    if (!is(function, FUNCTION)) return INVALID_HANDLE;
    if (attribute != 1) return INVALID_VALUE;
    *value = function->shared;
    return SUCCESS;
}

int cuFuncSetAttribute(struct handle *function, int attribute, int value) {
    ENTER();
    if (!is(function, FUNCTION)) return INVALID_HANDLE;
    if (attribute != 8 || value < 0 || value > options.shared_limit - function->shared) return INVALID_VALUE;
    function->allowed = value;
    return SUCCESS;
}

int cuLaunchKernel(struct handle *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
                   struct handle *stream, void **parameters, void **extra) {
    ENTER();
    if (!is(function, FUNCTION) || !is(stream, STREAM)) return INVALID_HANDLE;
    if (extra || gx < 1 || gy < 1 || gz < 1 || gy > 65535 || gz > 65535 || bx < 1 || by < 1 || bz < 1 || bx * by * bz > 1024) return INVALID_VALUE;
    if ((int64_t)shared > function->allowed) return INVALID_VALUE;
    uint64_t values[MOST_PARAMETERS + 1] = {0};
    for (int i = 0; i < function->parameters; i++) {
        if (function->bytes[i] > 8) return INVALID_VALUE;
        memcpy(&values[i], parameters[i], function->bytes[i]);   /* now: the caller's are its own again when this returns */
    }
    struct operation o = {.what = LAUNCH, .handle = function, .values = values};
    int32_t shape[7] = {gx, gy, gz, bx, by, bz, shared};
    memcpy(o.shape, shape, sizeof shape);
    return submit(stream, &o);
}

/* ---- graphs ---- */

int cuStreamBeginCapture_v2(struct handle *stream, int mode) {
    ENTER();
    if (!is(stream, STREAM)) return INVALID_HANDLE;
    if (stream->capture || mode < 0 || mode > 2) return INVALID_VALUE;
    stream->capture = make(GRAPH);
    return SUCCESS;
}

int cuStreamEndCapture(struct handle *stream, struct handle **graph) {
    ENTER();
    if (!is(stream, STREAM)) return INVALID_HANDLE;
    if (!stream->capture) return INVALID_VALUE;
    *graph = stream->capture;
    stream->capture = NULL;
    return SUCCESS;
}

int cuGraphInstantiateWithFlags(struct handle **executable, struct handle *graph, unsigned long long flags) {
    ENTER();
    if (!is(graph, GRAPH)) return INVALID_HANDLE;
    if (flags) return INVALID_VALUE;
    *executable = make(EXECUTABLE);
    for (struct operation *o = graph->queue.head; o; o = o->next) append(&(*executable)->queue, o);
    return SUCCESS;
}

int cuGraphLaunch(struct handle *executable, struct handle *stream) {
    ENTER();
    if (!is(executable, EXECUTABLE) || !is(stream, STREAM)) return INVALID_HANDLE;
    if (stream->capture) return CAPTURE_UNSUPPORTED;
    for (struct operation *o = executable->queue.head; o; o = o->next) submit(stream, o);
    return SUCCESS;
}

int cuGraphDestroy(struct handle *graph) {
    if (!is(graph, GRAPH)) return INVALID_HANDLE;
    clear(&graph->queue);
    graph->kind = FREED;
    return sticky;
}

int cuGraphExecDestroy(struct handle *executable) {
    if (!is(executable, EXECUTABLE)) return INVALID_HANDLE;
    clear(&executable->queue);
    executable->kind = FREED;
    return sticky;
}

/* ---- for the libraries that stand in for cuBLAS and cuSOLVER ---- */

static int32_t library_handles;

void standin_count(int32_t handles_more) { library_handles += handles_more; }

/* Whether calls are answered at all; 0, or what went wrong before. */
int standin_state(void) {
    ENTER();
    return SUCCESS;
}

int standin_is_stream(const void *handle) { return is(handle, STREAM); }

/* Where the device's memory lies on the host; NULL unless all of it is of one allocation. */
void *standin_resolve(device_address address, uint64_t bytes) { return resolve(address, bytes); }

/* Queues a call with a copy of its arguments; what it returns, if not 0, is the device's error from then on. */
int standin_call(struct handle *stream, int (*run)(const void *arguments), const void *arguments, uint64_t bytes) {
    ENTER();
    if (!is(stream, STREAM)) return INVALID_HANDLE;
    if (stream->capture) return CAPTURE_UNSUPPORTED;
    return submit(stream, &(struct operation){.what = CALL, .run = run, .arguments = memcpy(malloc(bytes), arguments, bytes)});
}

int32_t standin_live(void) {
    int32_t live = pinned + retained + library_handles;
    for (struct handle *h = handles; h; h = h->next) live += h->kind != FREED && h->kind != FUNCTION;
    for (struct allocation *a = allocations; a; a = a->next) live += a->live;
    return live;
}
