package dev.obr.kernels.cuda;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.LaunchShape;
import java.util.List;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.JCudaDriver;

final class CudaKernel implements GpuKernel {
    private final CudaDevice device;
    private final CudaModule module;
    private final String name;
    private final List<Integer> parameterBytes;
    private final CUfunction function;
    private final int staticSharedBytes;
    private int allowedSharedBytes;

    CudaKernel(CudaDevice device, CudaModule module, String name, List<Integer> parameterBytes, CUfunction function) {
        this.device = device;
        this.module = module;
        this.name = name;
        this.parameterBytes = parameterBytes;
        this.function = function;
        int[] bytes = new int[1];
        device.check(
                JCudaDriver.cuFuncGetAttribute(
                        bytes, CUfunction_attribute.CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, function),
                "cuFuncGetAttribute");
        staticSharedBytes = bytes[0];
        allowedSharedBytes = GpuKernel.SHARED_BYTES_UNASKED - staticSharedBytes;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void allowSharedBytes(int bytes) {
        module.enter();
        int limit = device.sharedBytesLimit() - staticSharedBytes;
        if (bytes > limit) {
            throw new ObrException(device + ": the kernel " + name + " needs " + bytes
                    + " bytes of shared memory a block, the device has " + limit);
        }
        if (bytes > allowedSharedBytes) {
            device.check(
                    JCudaDriver.cuFuncSetAttribute(
                            function, CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, bytes),
                    "cuFuncSetAttribute");
            allowedSharedBytes = bytes;
        }
    }

    /** The driver's function, for a launch that fits it. */
    CUfunction function(CudaDevice on, LaunchShape shape, List<KernelArguments.Argument> arguments) {
        module.requireOf(on);
        KernelArguments.check(name, parameterBytes, arguments);
        if (shape.sharedBytes() > allowedSharedBytes) {
            throw new ObrException(device + ": the kernel " + name + " is launched with " + shape.sharedBytes()
                    + " bytes of shared memory a block, but only " + allowedSharedBytes + " are allowed to it");
        }
        return function;
    }
}
