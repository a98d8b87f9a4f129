package dev.obr.kernels.cpu;

import dev.obr.kernels.HostSettings;
import dev.obr.kernels.ObrException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.BitSet;

/**
 * Holds each worker on one of the processors that the process may use, so that none moves while it is measured; on Linux, by sched_setaffinity(2). The first processor is left to the thread that
 * hands out the work: it is somebody else's, and what it started later would be held with it.
 */
public final class PinnedThreads implements ThreadPlacement {
    private static final int MASK_BYTES = 1024; // 8192 processors
    private static final int THIS_THREAD = 0;

    private final MethodHandle set;
    private final int[] processors;

    private PinnedThreads(MethodHandle set, int[] processors) {
        this.set = set;
        this.processors = processors;
    }

    /** @throws ObrException where the system holds no threads */
    public static PinnedThreads open() {
        if (!HostSettings.osName().equals("Linux")) {
            throw new ObrException("Threads cannot be held on processors: only Linux can do so, and this is "
                    + HostSettings.osName() + ". Leave it out.");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment allowed = arena.allocate(MASK_BYTES);
            // The thread that the process began with has its mask, whatever became of the others.
            int process = Math.toIntExact(ProcessHandle.current().pid());
            if (call(bind("sched_getaffinity"), process, allowed) != 0) {
                throw new ObrException("Threads cannot be held on processors: the system does not say which there are."
                        + " Leave it out.");
            }
            BitSet processors = BitSet.valueOf(allowed.asByteBuffer());
            return new PinnedThreads(
                    bind("sched_setaffinity"), processors.stream().toArray());
        }
    }

    @Override
    public void place(int worker) {
        BitSet one = new BitSet();
        one.set(processors[worker % processors.length]);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(MASK_BYTES);
            mask.copyFrom(MemorySegment.ofArray(one.toByteArray()));
            call(set, THIS_THREAD, mask); // refused where the processor has gone since: the worker stays free
        }
    }

    /** int sched_getaffinity(pid_t thread, size_t bytes, cpu_set_t *mask), and sched_setaffinity */
    private static MethodHandle bind(String function) {
        MemorySegment address = Linker.nativeLinker()
                .defaultLookup()
                .find(function)
                .orElseThrow(() -> new ObrException(
                        "Threads cannot be held on processors: the C library has no " + function + ". Leave it out."));
        FunctionDescriptor signature = FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS);
        return Linker.nativeLinker().downcallHandle(address, signature);
    }

    private static int call(MethodHandle function, int thread, MemorySegment mask) {
        try {
            return (int) function.invokeExact(thread, mask.byteSize(), mask);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
