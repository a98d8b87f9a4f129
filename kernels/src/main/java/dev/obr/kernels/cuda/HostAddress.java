package dev.obr.kernels.cuda;

import java.lang.foreign.MemorySegment;
import jcuda.Pointer;

/** Memory outside the heap as JCuda takes it: of any size, where its pointers to buffers end at 2 GB. */
final class HostAddress extends Pointer {
    /** @param segment of native memory, alive until the call's work is done */
    HostAddress(MemorySegment segment) {
        super(segment.address());
    }
}
