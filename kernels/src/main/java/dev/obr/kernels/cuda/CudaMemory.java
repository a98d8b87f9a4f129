package dev.obr.kernels.cuda;

import dev.obr.kernels.gpu.GpuMemory;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

final class CudaMemory extends CudaResource implements GpuMemory {
    private final DeviceAddress pointer;
    private final long bytes;

    CudaMemory(CudaDevice device, DeviceAddress pointer, long bytes) {
        super(device, bytes + " bytes of GPU memory");
        this.pointer = pointer;
        this.bytes = bytes;
    }

    @Override
    public long address() {
        enter();
        return pointer.value();
    }

    @Override
    public long byteSize() {
        return bytes;
    }

    /** The driver's pointer to a range of it, which is checked. */
    CUdeviceptr at(CudaDevice device, long offset, long count) {
        requireOf(device);
        checkRange(offset, count);
        return pointer.withByteOffset(offset);
    }

    /** The driver may free at once what a stream still uses; the contract says after. */
    @Override
    int free() {
        int finished = JCudaDriver.cuCtxSynchronize();
        int freed = JCudaDriver.cuMemFree(pointer);
        return finished == CUresult.CUDA_SUCCESS ? freed : finished;
    }
}
