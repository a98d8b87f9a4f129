package dev.obr.kernels.cuda;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.NativeLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * What the driver says before anything of JCuda is touched: JCuda's classes can be initialised once only, and report a missing driver as two nested stack traces.
 *
 * @param version the CUDA version that it supports, as 12040 for 12.4
 * @param devices how many GPUs it lists
 */
record CudaDriver(int version, int devices) {
    static final String LIBRARY = "libcuda.so.1";

    /** CUDA 12.0, driver R525: whose functions JCuda binds. The kernels' PTX, of version 7.8, is older. */
    static final int OLDEST = 12000;

    private static final String PLATFORM = "linux-x86_64";

    private static final int STUB_LIBRARY = 34;
    private static final int NO_DEVICE = 100;
    private static final int SYSTEM_DRIVER_MISMATCH = 803;
    private static final int UNKNOWN = 999;

    /** Whether there is a driver at all, whatever it says. */
    static boolean present() {
        return NativeLibrary.platform().equals(PLATFORM) && library(LIBRARY).isPresent();
    }

    private static Optional<SymbolLookup> library(String library) {
        try {
            return Optional.of(SymbolLookup.libraryLookup(library, Arena.global())); // stays: JCuda needs the same one
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /**
     * Asks the driver.
     *
     * @throws ObrException one sentence that says why there is no GPU to compute with
     */
    static CudaDriver find() {
        return find(NativeLibrary.platform(), LIBRARY);
    }

    static CudaDriver find(String platform, String library) {
        if (!platform.equals(PLATFORM)) {
            throw new ObrException("GPUs are used on " + PLATFORM + " only, this is " + platform);
        }
        SymbolLookup driver = library(library)
                .orElseThrow(() -> new ObrException("no NVIDIA driver (" + library + " cannot be loaded)"));
        int initialised = call(driver, "cuInit", 0);
        if (initialised != 0) {
            throw new ObrException(refusal(initialised));
        }
        int version = number(driver, "cuDriverGetVersion");
        if (version < OLDEST) {
            throw new ObrException("the NVIDIA driver supports CUDA " + written(version) + ", the kernels need "
                    + written(OLDEST) + " (driver R525) or newer: update the driver");
        }
        int devices = number(driver, "cuDeviceGetCount");
        if (devices == 0) {
            throw new ObrException(refusal(NO_DEVICE));
        }
        return new CudaDriver(version, devices);
    }

    /** "12.4" for 12040. */
    static String written(int version) {
        return version / 1000 + "." + version % 1000 / 10;
    }

    private static String refusal(int initialised) {
        return switch (initialised) {
            case NO_DEVICE -> "the NVIDIA driver finds no GPU (error 100, CUDA_ERROR_NO_DEVICE)";
            case STUB_LIBRARY ->
                LIBRARY + " is the toolkit's stub, not a driver (error 34): take it out of LD_LIBRARY_PATH";
            case SYSTEM_DRIVER_MISMATCH ->
                "the NVIDIA driver's library and its kernel module differ in version (error 803): reboot, or load the module anew";
            case UNKNOWN ->
                "the NVIDIA driver does not start (error 999, CUDA_ERROR_UNKNOWN): nvidia-smi says whether its kernel module is loaded";
            default -> "the NVIDIA driver does not start: cuInit gave error " + initialised;
        };
    }

    private static int number(SymbolLookup driver, String function) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment number = arena.allocate(ValueLayout.JAVA_INT);
            int result;
            try {
                result = (int) function(driver, function, ValueLayout.ADDRESS).invokeExact(number);
            } catch (Throwable e) {
                throw unexpected(e);
            }
            if (result != 0) {
                throw new ObrException("the NVIDIA driver fails: " + function + " gave error " + result);
            }
            return number.get(ValueLayout.JAVA_INT, 0);
        }
    }

    private static int call(SymbolLookup driver, String function, int argument) {
        try {
            return (int) function(driver, function, ValueLayout.JAVA_INT).invokeExact(argument);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    private static MethodHandle function(SymbolLookup driver, String name, MemoryLayout argument) {
        MemorySegment address = driver.find(name)
                .orElseThrow(
                        () -> new ObrException("the NVIDIA driver has no " + name + ": it is broken, install it anew"));
        return Linker.nativeLinker().downcallHandle(address, FunctionDescriptor.of(ValueLayout.JAVA_INT, argument));
    }

    /** A downcall handle throws nothing of its own but errors of the JVM and of the lookup. */
    private static RuntimeException unexpected(Throwable e) {
        if (e instanceof RuntimeException defect) {
            return defect;
        }
        if (e instanceof Error error) {
            throw error;
        }
        return new IllegalStateException(e);
    }
}
