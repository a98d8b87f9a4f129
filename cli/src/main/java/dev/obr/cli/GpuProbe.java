package dev.obr.cli;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;

/** Asks the NVIDIA driver, where there is one, for its GPUs. */
final class GpuProbe {
    private static final int NAME_BYTES = 128;
    private static final int NO_DEVICE = 100; // CUDA_ERROR_NO_DEVICE

    private GpuProbe() {}

    /** The first GPU, or why there is none: one line. */
    static String describe() {
        boolean windows = System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows");
        String library = windows ? "nvcuda.dll" : "libcuda.so.1";
        try (Arena arena = Arena.ofConfined()) {
            SymbolLookup driver = SymbolLookup.libraryLookup(library, arena);
            int result = call(driver, "cuInit", 0);
            if (result != 0) {
                return "none: the NVIDIA driver found no usable GPU (cuInit gave " + result
                        + (result == NO_DEVICE ? ", no device" : "") + ")";
            }
            return name(driver, arena) + "; not used: this version computes on the CPU only";
        } catch (IllegalArgumentException e) {
            return "none: no NVIDIA driver (" + library + " cannot be loaded)";
        } catch (Throwable e) {
            return "none: the NVIDIA driver failed: " + e;
        }
    }

    private static String name(SymbolLookup driver, Arena arena) throws Throwable {
        MemorySegment device = arena.allocate(ValueLayout.JAVA_INT);
        MemorySegment name = arena.allocate(NAME_BYTES);
        int found = (int) function(driver, "cuDeviceGet", ValueLayout.ADDRESS, ValueLayout.JAVA_INT)
                .invokeExact(device, 0);
        int named = (int)
                function(driver, "cuDeviceGetName", ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT)
                        .invokeExact(name, NAME_BYTES, device.get(ValueLayout.JAVA_INT, 0));
        return found == 0 && named == 0 ? name.getString(0) : "an NVIDIA GPU";
    }

    private static int call(SymbolLookup driver, String function, int argument) throws Throwable {
        return (int) function(driver, function, ValueLayout.JAVA_INT).invokeExact(argument);
    }

    private static MethodHandle function(SymbolLookup driver, String name, MemoryLayout... arguments) {
        return Linker.nativeLinker()
                .downcallHandle(driver.findOrThrow(name), FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments));
    }
}
