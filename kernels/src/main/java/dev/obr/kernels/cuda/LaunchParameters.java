package dev.obr.kernels.cuda;

import dev.obr.kernels.gpu.KernelArguments;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import jcuda.Pointer;

/**
 * Arguments as cuLaunchKernel takes them: a table of addresses, one for each value. The driver copies the values before it returns, so one table serves every launch.
 *
 * <pre>
 *   table   [ &amp;v0 | &amp;v1 | &amp;v2 | ... ]      8 bytes each, filled once
 *   values  [ v0  | v1  | v2  | ... ]      8 bytes each; a parameter of 4 bytes takes the lower ones
 * </pre>
 */
final class LaunchParameters {
    /** A kernel's parameters are 4096 bytes at most on these GPUs. */
    private static final int SLOTS = 4096 / 4;

    private final MemorySegment values;
    private final Pointer table;

    LaunchParameters(Arena arena) {
        values = arena.allocate(ValueLayout.JAVA_LONG, SLOTS);
        MemorySegment addresses = arena.allocate(ValueLayout.JAVA_LONG, SLOTS);
        for (int slot = 0; slot < SLOTS; slot++) {
            addresses.setAtIndex(ValueLayout.JAVA_LONG, slot, values.address() + (long) slot * Long.BYTES);
        }
        table = new HostAddress(addresses);
    }

    Pointer of(List<KernelArguments.Argument> arguments) {
        for (int slot = 0; slot < arguments.size(); slot++) {
            values.setAtIndex(ValueLayout.JAVA_LONG, slot, arguments.get(slot).bits());
        }
        return table;
    }
}
