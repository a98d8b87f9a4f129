package dev.obr.kernels.emulator;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.LaunchShape;
import java.util.List;

final class EmulatedKernel implements GpuKernel {
    private final EmulatedModule module;
    private final PtxKernel kernel;
    private int allowedSharedBytes;

    EmulatedKernel(EmulatedModule module, PtxKernel kernel) {
        this.module = module;
        this.kernel = kernel;
        allowedSharedBytes = SHARED_BYTES_UNASKED - kernel.staticSharedBytes();
    }

    @Override
    public String name() {
        return kernel.name();
    }

    @Override
    public void allowSharedBytes(int bytes) {
        module.enter();
        int limit = module.device().sharedBytesLimit() - kernel.staticSharedBytes();
        if (bytes > limit) {
            throw new ObrException(module.device() + ": the kernel " + name() + " needs " + bytes
                    + " bytes of shared memory a block, the device has " + limit);
        }
        allowedSharedBytes = Math.max(allowedSharedBytes, bytes);
    }

    /** A launch on {@code user} that fits this kernel. */
    Launch launch(EmulatedDevice user, LaunchShape shape, List<KernelArguments.Argument> arguments) {
        module.requireOf(user);
        List<Integer> parameterBytes =
                kernel.parameters().stream().map(PtxParameter::bytes).toList();
        KernelArguments.check(name(), parameterBytes, arguments);
        if (shape.sharedBytes() > allowedSharedBytes) {
            throw new ObrException(user + ": the kernel " + name() + " is launched with " + shape.sharedBytes()
                    + " bytes of shared memory a block, but only " + allowedSharedBytes + " are allowed to it");
        }
        if (shape.block().count() > kernel.maxThreads()) {
            throw new ObrException(user + ": the kernel " + name() + " is launched with blocks of " + shape.block()
                    + " threads, it is made for " + kernel.maxThreads() + " at most");
        }
        return new Launch(kernel, shape, arguments);
    }
}
