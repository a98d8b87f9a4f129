package dev.obr.kernels.cuda;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuModule;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import jcuda.driver.CUfunction;
import jcuda.driver.CUjit_option;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/** PTX that the driver's compiler has assembled. */
final class CudaModule extends CudaResource implements GpuModule {
    private static final int LOG_BYTES = 8192;
    private static final int LOG_LINES = 4;

    private final String name;
    private final CUmodule module;
    private final Map<String, List<Integer>> entries;

    private CudaModule(CudaDevice device, String name, CUmodule module, Map<String, List<Integer>> entries) {
        super(device, "the module " + name);
        this.name = name;
        this.module = module;
        this.entries = entries;
    }

    static CudaModule load(CudaDevice device, String name, String ptx) {
        CUmodule module = new CUmodule();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocateFrom(ptx); // null-terminated, or the compiler reads on
            MemorySegment log = arena.allocate(LOG_BYTES);
            int[] options = {
                CUjit_option.CU_JIT_ERROR_LOG_BUFFER, CUjit_option.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES,
            };
            MemorySegment values = arena.allocate(ValueLayout.JAVA_LONG, options.length);
            values.setAtIndex(ValueLayout.JAVA_LONG, 0, log.address());
            values.setAtIndex(ValueLayout.JAVA_LONG, 1, LOG_BYTES);
            int result = JCudaDriver.cuModuleLoadDataEx(
                    module, new HostAddress(image), options.length, options, new HostAddress(values));
            if (result != CUresult.CUDA_SUCCESS) {
                throw refusal(device, name, result, log);
            }
        }
        return new CudaModule(device, name, module, PtxEntries.of(ptx));
    }

    private static ObrException refusal(CudaDevice device, String name, int result, MemorySegment log) {
        String said = Driver.text(log.toArray(ValueLayout.JAVA_BYTE))
                .lines()
                .map(String::strip)
                .filter(line -> !line.isEmpty())
                .limit(LOG_LINES)
                .collect(Collectors.joining(" | "));
        String remedy = switch (result) {
            case CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION -> "; its PTX is newer than the driver: update the driver";
            case CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU -> "; it is made for a newer GPU";
            default -> "";
        };
        return new ObrException(device.failure(result, "assembling " + name).getMessage()
                + remedy
                + (said.isEmpty() ? "" : ": " + said));
    }

    @Override
    public GpuKernel kernel(String kernel) {
        CudaDevice device = enter();
        List<Integer> parameterBytes = entries.get(kernel);
        if (parameterBytes == null) {
            throw new ObrException(
                    name + " has no kernel " + kernel + ", it has " + String.join(", ", entries.keySet()));
        }
        CUfunction function = new CUfunction();
        device.check(JCudaDriver.cuModuleGetFunction(function, module, kernel), "cuModuleGetFunction(" + kernel + ")");
        return new CudaKernel(device, this, kernel, parameterBytes, function);
    }

    /** After all queued work, which may run its kernels. */
    @Override
    int free() {
        int waited = JCudaDriver.cuCtxSynchronize();
        int unloaded = JCudaDriver.cuModuleUnload(module);
        return waited == CUresult.CUDA_SUCCESS ? unloaded : waited;
    }
}
