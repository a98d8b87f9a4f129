package dev.obr.kernels.cpu;

import dev.obr.kernels.ObrException;
import java.util.Map;
import org.opentest4j.TestAbortedException;

/** Every twin that a test can ask for, with each native instruction set as one of its own; those that this machine lacks are skipped with the reason. */
enum Twins {
    SCALAR,
    VECTOR,
    NATIVE_GENERIC,
    NATIVE_AVX2,
    NATIVE_AVX512;

    private static final Map<String, String> ENVIRONMENT =
            Map.of("OBR_CACHE", System.getProperty("java.io.tmpdir") + "/obr-test-cache");

    CpuKernels get() {
        return switch (this) {
            case SCALAR -> new ScalarKernels();
            case VECTOR -> new VectorKernels();
            case NATIVE_GENERIC -> cappedAt(CpuCap.GENERIC, "any processor");
            case NATIVE_AVX2 -> cappedAt(CpuCap.AVX2, "AVX2");
            case NATIVE_AVX512 -> cappedAt(CpuCap.AVX512, "AVX-512");
        };
    }

    /** The native kernels under a cap; skips the test where that leaves another instruction set. */
    private static CpuKernels cappedAt(CpuCap cap, String instructionSet) {
        NativeKernels.Loaded loaded = load(cap);
        CpuKernels kernels = loaded.usable().getFirst();
        if (!kernels.instructionSet().startsWith(instructionSet)) {
            throw missing(String.join("; ", loaded.refusals()));
        }
        return kernels;
    }

    /** The integer kernels under a cap; skips the test where there are none. */
    static PackedKernels integers(CpuCap cap) {
        PackedKernels.Choice choice = load(cap).usable().getFirst().packed();
        if (choice.kernels() == null) {
            throw new TestAbortedException(choice.reason());
        }
        return choice.kernels();
    }

    private static NativeKernels.Loaded load(CpuCap cap) {
        try {
            return NativeKernels.load(1, cap, ENVIRONMENT);
        } catch (ObrException e) {
            throw missing(String.valueOf(e.getMessage()));
        }
    }

    /** What this machine lacks is skipped; what it has and refuses because it computes wrongly is a failure. */
    private static TestAbortedException missing(String why) {
        if (why.contains("computes wrongly")) {
            throw new AssertionError(why);
        }
        return new TestAbortedException(why);
    }
}
