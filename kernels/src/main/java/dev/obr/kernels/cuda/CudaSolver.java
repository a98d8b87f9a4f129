package dev.obr.kernels.cuda;

import dev.obr.kernels.cuda.CudaBlas.At;
import dev.obr.kernels.gpu.GpuException;
import dev.obr.kernels.gpu.OutOfGpuMemoryException;
import jcuda.driver.CUresult;
import jcuda.jcublas.cublasFillMode;
import jcuda.jcusolver.JCusolverDn;
import jcuda.jcusolver.cusolverDnHandle;
import jcuda.jcusolver.cusolverStatus;
import jcuda.runtime.cudaStream_t;

/**
 * cuSOLVER on one stream: Cholesky factors of matrices that lie row by row, whose lower triangle it calls the upper one.
 *
 * <p>Its interface of 32 bits, which reaches to matrices of 46340 rows: in JCuda's binding of the 64-bit one, the functions that tell the size of a workspace read an address out of the array
 * that they are to write to, and end the process.
 */
final class CudaSolver extends CudaResource {
    private final CudaDevice device;
    private final cusolverDnHandle handle;

    private CudaSolver(CudaDevice device, cusolverDnHandle handle) {
        super(device, "cuSOLVER");
        this.device = device;
        this.handle = handle;
    }

    static CudaSolver on(CudaDevice device, CudaStream stream) {
        device.enter();
        cusolverDnHandle handle = new cusolverDnHandle();
        check(device, JCusolverDn.cusolverDnCreate(handle), "cusolverDnCreate");
        try {
            check(
                    device,
                    JCusolverDn.cusolverDnSetStream(handle, new cudaStream_t(stream.handle())),
                    "cusolverDnSetStream");
        } catch (RuntimeException e) {
            JCusolverDn.cusolverDnDestroy(handle);
            throw e;
        }
        return new CudaSolver(device, handle);
    }

    /** Bytes on the device that {@link #cholesky} of the same matrix needs beside it. */
    long choleskyWorkspace(int n, At a) {
        int[] floats = new int[1];
        enter();
        call(
                "cusolverDnSpotrf_bufferSize",
                JCusolverDn.cusolverDnSpotrf_bufferSize(
                        handle,
                        cublasFillMode.CUBLAS_FILL_MODE_UPPER,
                        n,
                        a.pointer(device, Float.BYTES),
                        a.stride(),
                        floats));
        return (long) floats[0] * Float.BYTES;
    }

    /**
     * The lower triangle of A [n,n] becomes L.
     *
     * @param bytes of the workspace
     * @param info int32 on the device: 0, or the order of the smallest leading block that is not positive definite
     */
    void cholesky(int n, At a, CudaMemory workspace, long bytes, CudaMemory info) {
        enter();
        call(
                "cusolverDnSpotrf",
                JCusolverDn.cusolverDnSpotrf(
                        handle,
                        cublasFillMode.CUBLAS_FILL_MODE_UPPER,
                        n,
                        a.pointer(device, Float.BYTES),
                        a.stride(),
                        workspace.at(device, 0, bytes),
                        (int) (bytes / Float.BYTES),
                        info.at(device, 0, Integer.BYTES)));
    }

    /**
     * The lower triangles of {@code count} matrices [n,n] become their factors.
     *
     * @param matrices their addresses on the device, rows {@code stride} elements apart
     * @param info int32 [count] as in {@link #cholesky}, from {@code infoOffset} elements on
     */
    void cholesky(int n, At matrices, int stride, CudaMemory info, long infoOffset, int count) {
        enter();
        call(
                "cusolverDnSpotrfBatched",
                JCusolverDn.cusolverDnSpotrfBatched(
                        handle,
                        cublasFillMode.CUBLAS_FILL_MODE_UPPER,
                        n,
                        matrices.pointer(device, Long.BYTES),
                        stride,
                        info.at(device, infoOffset * Integer.BYTES, (long) count * Integer.BYTES),
                        count));
    }

    private void call(String function, int status) {
        check(device, status, function);
        device.launched(function);
    }

    private static void check(CudaDevice device, int status, String function) {
        if (status == cusolverStatus.CUSOLVER_STATUS_ALLOC_FAILED) {
            throw new OutOfGpuMemoryException(device + " is out of memory: " + function + " has no room to work, "
                    + device.freeBytes() + " bytes of " + device.totalBytes() + " are free");
        }
        if (status != cusolverStatus.CUSOLVER_STATUS_SUCCESS) {
            throw new GpuException(
                    device + ": " + function + " failed: " + cusolverStatus.stringFor(status) + " (" + status + ")");
        }
    }

    @Override
    int free() {
        int status = JCusolverDn.cusolverDnDestroy(handle);
        return status == cusolverStatus.CUSOLVER_STATUS_SUCCESS ? 0 : CUresult.CUDA_ERROR_UNKNOWN;
    }
}
