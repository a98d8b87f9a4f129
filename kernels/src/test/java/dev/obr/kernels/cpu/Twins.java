package dev.obr.kernels.cpu;

import dev.obr.kernels.ObrException;
import java.util.List;
import java.util.Map;
import org.opentest4j.TestAbortedException;

/** Every twin that a test can ask for, with each native instruction set as one of its own; those that this machine lacks are skipped with the reason. */
enum Twins {
    SCALAR,
    VECTOR,
    NATIVE_GENERIC,
    NATIVE_AVX2,
    NATIVE_AVX512;

    private record Natives(List<NativeKernels> usable, String reason) {
        /** Extracts and loads the library once. */
        static final Natives LOADED = load();

        private static Natives load() {
            String cache = System.getProperty("java.io.tmpdir") + "/obr-test-cache";
            try {
                NativeKernels.Loaded loaded = NativeKernels.load(Integer.MAX_VALUE, Map.of("OBR_CACHE", cache));
                return new Natives(loaded.usable(), String.join("; ", loaded.refusals()));
            } catch (ObrException e) {
                return new Natives(List.of(), String.valueOf(e.getMessage()));
            }
        }

        CpuKernels get(String instructionSet) {
            for (NativeKernels kernels : usable) {
                if (kernels.instructionSet().startsWith(instructionSet)) {
                    return kernels;
                }
            }
            throw new TestAbortedException(reason);
        }
    }

    CpuKernels get() {
        return switch (this) {
            case SCALAR -> new ScalarKernels();
            case VECTOR -> new VectorKernels();
            case NATIVE_GENERIC -> Natives.LOADED.get("any processor");
            case NATIVE_AVX2 -> Natives.LOADED.get("AVX2");
            case NATIVE_AVX512 -> Natives.LOADED.get("AVX-512");
        };
    }
}
