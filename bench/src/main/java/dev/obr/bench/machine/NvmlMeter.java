package dev.obr.bench.machine;

import dev.obr.kernels.ObrException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** An NVIDIA GPU's own counter of millijoules, which the driver's management library shows of GPUs from Volta on. */
final class NvmlMeter implements EnergyMeter {
    private static final String LIBRARY = "libnvidia-ml.so.1";
    private static final double MILLI = 1e-3;

    private final MethodHandle totalEnergy; // int (device, long* millijoules)
    private final MemorySegment device;
    private final MemorySegment millijoules;
    private final int index;
    private final double start;

    private NvmlMeter(MethodHandle totalEnergy, MemorySegment device, MemorySegment millijoules, int index) {
        this.totalEnergy = totalEnergy;
        this.device = device;
        this.millijoules = millijoules;
        this.index = index;
        this.start = read();
    }

    /** @throws ObrException if the library or the counter is missing */
    static NvmlMeter open(int index) {
        Arena arena = Arena.ofAuto();
        try {
            SymbolLookup library = SymbolLookup.libraryLookup(LIBRARY, arena);
            check("nvmlInit_v2", (int) function(library, "nvmlInit_v2", FunctionDescriptor.of(ValueLayout.JAVA_INT))
                    .invokeExact());
            MemorySegment handle = arena.allocate(ValueLayout.ADDRESS);
            MethodHandle find = function(
                    library,
                    "nvmlDeviceGetHandleByIndex_v2",
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
            check("nvmlDeviceGetHandleByIndex_v2", (int) find.invokeExact(index, handle));
            MethodHandle energy = function(
                    library,
                    "nvmlDeviceGetTotalEnergyConsumption",
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
            return new NvmlMeter(
                    energy, handle.get(ValueLayout.ADDRESS, 0), arena.allocate(ValueLayout.JAVA_LONG), index);
        } catch (IllegalArgumentException missing) {
            throw new ObrException("the driver's " + LIBRARY + " cannot be loaded: " + missing.getMessage());
        } catch (RuntimeException | Error failure) {
            throw failure;
        } catch (Throwable impossible) {
            throw new IllegalStateException("a function of C has thrown", impossible);
        }
    }

    private static MethodHandle function(SymbolLookup library, String name, FunctionDescriptor type) {
        MemorySegment address = library.find(name)
                .orElseThrow(
                        () -> new ObrException("the driver's " + LIBRARY + " has no " + name + ": renew the driver"));
        return Linker.nativeLinker().downcallHandle(address, type);
    }

    private static void check(String function, int status) {
        if (status != 0) {
            throw new ObrException(function + " of the driver's " + LIBRARY + " fails with status " + status
                    + ": this GPU's energy is not known");
        }
    }

    private double read() {
        try {
            check("nvmlDeviceGetTotalEnergyConsumption", (int) totalEnergy.invokeExact(device, millijoules));
        } catch (RuntimeException | Error failure) {
            throw failure;
        } catch (Throwable impossible) {
            throw new IllegalStateException("a function of C has thrown", impossible);
        }
        return millijoules.get(ValueLayout.JAVA_LONG, 0) * MILLI;
    }

    @Override
    public double joules() {
        return read() - start;
    }

    @Override
    public String counted() {
        return "GPU " + index + " by NVML";
    }
}
