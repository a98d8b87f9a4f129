package dev.obr.kernels.cuda;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuEvent;
import dev.obr.kernels.gpu.GpuException;
import dev.obr.kernels.gpu.GpuGraph;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuModule;
import dev.obr.kernels.gpu.GpuStream;
import java.lang.foreign.Arena;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUevent;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;

/**
 * A GPU behind NVIDIA's driver: a thin adapter of JCuda's driver API, on the primary context that other libraries of this process share.
 *
 * <p>The driver reports what a kernel did wrong at some later call, and from then on answers every call with that error; the sentence names the kernel queued last.
 */
public final class CudaDevice implements GpuDevice {
    private static final long PINNED_BYTES = 4L << 20;

    private final CudaGpu gpu;
    private final CUdevice device;
    private final CUcontext context;
    private final int multiprocessors;
    private final int sharedBytesLimit;
    private final LaunchParameters launchParameters;

    /** What is not closed yet, in the order it was made. */
    private final SequencedSet<CudaResource> open = new LinkedHashSet<>();

    private @Nullable PinnedMemory pinned; // of PINNED_BYTES
    private String lastLaunched = "";
    private boolean recording;
    private boolean closed;

    private CudaDevice(CudaGpu gpu, CUdevice device, CUcontext context) {
        this.gpu = gpu;
        this.device = device;
        this.context = context;
        multiprocessors = Driver.attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
        sharedBytesLimit =
                Driver.attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
        launchParameters = new LaunchParameters(Arena.ofAuto());
    }

    /**
     * Takes a GPU into use.
     *
     * @param index as in {@link CudaDevices#list}
     * @throws ObrException where there is no such GPU, saying why or which there are
     */
    public static CudaDevice open(int index) {
        List<CudaGpu> gpus = CudaDevices.list();
        if (index < 0 || index >= gpus.size()) {
            throw new ObrException("there is no GPU " + index + ": this machine's are 0 to " + (gpus.size() - 1));
        }
        CUdevice device = Driver.device(index);
        CUcontext context = new CUcontext();
        Driver.check(JCudaDriver.cuDevicePrimaryCtxRetain(context, device), "cuDevicePrimaryCtxRetain", "GPU " + index);
        try {
            return new CudaDevice(gpus.get(index), device, context);
        } catch (RuntimeException e) {
            JCudaDriver.cuDevicePrimaryCtxRelease(device);
            throw e;
        }
    }

    @Override
    public String name() {
        return gpu.name();
    }

    @Override
    public ComputeCapability capability() {
        return gpu.capability();
    }

    @Override
    public int multiprocessors() {
        return multiprocessors;
    }

    @Override
    public long freeBytes() {
        return memory()[0];
    }

    @Override
    public long totalBytes() {
        return memory()[1];
    }

    private long[] memory() {
        enter();
        long[] free = new long[1];
        long[] total = new long[1];
        check(JCudaDriver.cuMemGetInfo(free, total), "cuMemGetInfo");
        return new long[] {free[0], total[0]};
    }

    @Override
    public GpuMemory allocate(long bytes) {
        enter();
        refuseInRecording();
        if (bytes < 1) {
            throw new IllegalArgumentException("memory has 1 byte at least, not " + bytes);
        }
        DeviceAddress pointer = new DeviceAddress();
        int result = JCudaDriver.cuMemAlloc(pointer, bytes);
        if (result == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
            throw GpuDevice.outOfMemory(this, bytes);
        }
        check(result, "cuMemAlloc");
        return new CudaMemory(this, pointer, bytes);
    }

    @Override
    public GpuModule load(String name, String ptx) {
        enter();
        refuseInRecording();
        return CudaModule.load(this, name, ptx);
    }

    @Override
    public GpuStream newStream() {
        enter();
        CUstream stream = new CUstream();
        check(JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING), "cuStreamCreate");
        return new CudaStream(this, stream);
    }

    @Override
    public GpuEvent newEvent() {
        enter();
        CUevent event = new CUevent();
        check(JCudaDriver.cuEventCreate(event, 0), "cuEventCreate");
        return new CudaEvent(this, event);
    }

    @Override
    public void synchronize() {
        enter();
        refuseInRecording();
        check(JCudaDriver.cuCtxSynchronize(), "cuCtxSynchronize");
    }

    /** Frees what is still open, the latest first, and gives the context back. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        ObrException first = null;
        for (CudaResource resource : List.copyOf(open.reversed())) {
            try {
                resource.close();
            } catch (ObrException e) { // one that cannot be freed must not keep the others
                first = first == null ? e : first;
            }
        }
        closed = true;
        int released = JCudaDriver.cuDevicePrimaryCtxRelease(device);
        if (first != null) {
            throw first;
        }
        check(released, "cuDevicePrimaryCtxRelease");
    }

    /** Makes the context current: the caller may be another thread than last time, and the thread another device's. */
    void enter() {
        if (closed) {
            throw new IllegalStateException("the device " + this + " is closed");
        }
        Driver.check(JCudaDriver.cuCtxSetCurrent(context), "cuCtxSetCurrent", toString());
    }

    /** A stream begins or ends a recording. */
    void recording(boolean now) {
        recording = now;
    }

    /** Drivers refuse these calls while a stream records. */
    void refuseInRecording() {
        if (recording) {
            throw new IllegalStateException(
                    "a stream records a graph: nothing is allocated, loaded, freed or waited for until it ends");
        }
    }

    void check(int result, String call) {
        if (result != CUresult.CUDA_SUCCESS) {
            throw failure(result, call);
        }
    }

    GpuException failure(int result, String call) {
        boolean ofAKernel = result >= CUresult.CUDA_ERROR_ILLEGAL_ADDRESS
                && result <= CUresult.CUDA_ERROR_LAUNCH_FAILED
                && result != CUresult.CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES;
        String sentence = Driver.failure(result, call, toString()).getMessage()
                + (ofAKernel && !lastLaunched.isEmpty()
                        ? "; a kernel failed, the one queued last is " + lastLaunched
                        : "");
        return new GpuException(sentence);
    }

    void launched(String kernel) {
        lastLaunched = kernel;
    }

    int sharedBytesLimit() {
        return sharedBytesLimit;
    }

    LaunchParameters launchParameters() {
        return launchParameters;
    }

    /** Through which what lies on the heap travels. */
    PinnedMemory pinned() {
        PinnedMemory present = pinned;
        if (present == null) {
            present = PinnedMemory.allocate(this, PINNED_BYTES);
            pinned = present;
        }
        return present;
    }

    void keep(CudaResource resource) {
        open.add(resource);
    }

    void forget(CudaResource resource) {
        open.remove(resource);
    }

    CudaMemory own(GpuMemory memory) {
        return own(memory, CudaMemory.class);
    }

    CudaEvent own(GpuEvent event) {
        return own(event, CudaEvent.class);
    }

    CudaGraph own(GpuGraph graph) {
        return own(graph, CudaGraph.class);
    }

    CudaKernel own(GpuKernel kernel) {
        return own(kernel, CudaKernel.class);
    }

    private <T> T own(Object thing, Class<T> type) {
        if (!type.isInstance(thing)) {
            throw new IllegalArgumentException(thing + " belongs to another device than " + this);
        }
        return type.cast(thing);
    }

    @Override
    public String toString() {
        return "GPU " + gpu.index() + " (" + gpu.name() + ")";
    }
}
