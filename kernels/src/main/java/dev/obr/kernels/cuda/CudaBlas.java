package dev.obr.kernels.cuda;

import dev.obr.kernels.gpu.GpuException;
import dev.obr.kernels.gpu.OutOfGpuMemoryException;
import dev.obr.kernels.linalg.Transpose;
import jcuda.Pointer;
import jcuda.cudaDataType;
import jcuda.driver.CUresult;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasDiagType;
import jcuda.jcublas.cublasFillMode;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.jcublas.cublasOperation;
import jcuda.jcublas.cublasSideMode;
import jcuda.jcublas.cublasStatus;
import jcuda.runtime.cudaStream_t;

/**
 * cuBLAS on one stream, for matrices that lie row by row.
 *
 * <p>cuBLAS counts column by column: a matrix of ours is the transposed one of its, so products swap their factors, and a lower triangle is its upper one:
 *
 * <pre>
 *   C = A B     is    Cᵀ = Bᵀ Aᵀ
 *   A = L Lᵀ    is    A = Uᵀ U with U = Lᵀ, stored in the same places
 * </pre>
 *
 * <p>All in float32 or float64 proper: tensor cores' shorter forms (TF32) are off.
 */
final class CudaBlas extends CudaResource {
    private final CudaDevice device;
    private final cublasHandle handle;
    private final int version;

    private CudaBlas(CudaDevice device, cublasHandle handle, int version) {
        super(device, "cuBLAS");
        this.device = device;
        this.handle = handle;
        this.version = version;
    }

    /** A handle of its own, so that no two streams share its workspace. */
    static CudaBlas on(CudaDevice device, CudaStream stream) {
        device.enter();
        cublasHandle handle = new cublasHandle();
        check(device, JCublas2.cublasCreate(handle), "cublasCreate");
        int[] version = new int[1];
        try {
            check(device, JCublas2.cublasGetVersion(handle, version), "cublasGetVersion");
            check(device, JCublas2.cublasSetMathMode(handle, cublasMath.CUBLAS_DEFAULT_MATH), "cublasSetMathMode");
            check(device, JCublas2.cublasSetStream(handle, new cudaStream_t(stream.handle())), "cublasSetStream");
        } catch (RuntimeException e) {
            JCublas2.cublasDestroy(handle);
            throw e;
        }
        return new CudaBlas(device, handle, version[0]);
    }

    /** "12.6.1". */
    String version() {
        return version / 10000 + "." + version / 100 % 100 + "." + version % 100;
    }

    /**
     * A float32 matrix, or the first of several.
     *
     * @param offset of its first element, and {@code stride} between rows, in elements
     */
    record At(CudaMemory memory, long offset, int stride) {
        static At of(CudaMemory memory, int stride) {
            return new At(memory, 0, stride);
        }

        Pointer pointer(CudaDevice device, int bytes) {
            return memory.at(device, offset * bytes, 0);
        }
    }

    /** {@code C [m,n] <- alpha · op(A) · op(B) + beta · C}. */
    void gemm(Transpose opA, Transpose opB, int m, int n, int k, float alpha, At a, At b, float beta, At c) {
        call(
                "cublasSgemm",
                JCublas2.cublasSgemm(
                        ready(),
                        operation(opB),
                        operation(opA),
                        n,
                        m,
                        k,
                        one(alpha),
                        floats(b),
                        b.stride,
                        floats(a),
                        a.stride,
                        one(beta),
                        floats(c),
                        c.stride));
    }

    /** {@code Y [tokens,features] <- X [tokens,columns] · W [features,columns]ᵀ}, half floats with sums of float32. */
    void gemmHalf(int tokens, int features, int columns, CudaMemory w, CudaMemory x, CudaMemory y) {
        call(
                "cublasGemmEx",
                JCublas2.cublasGemmEx_new(
                        ready(),
                        cublasOperation.CUBLAS_OP_T,
                        cublasOperation.CUBLAS_OP_N,
                        features,
                        tokens,
                        columns,
                        one(1),
                        At.of(w, columns).pointer(device, Short.BYTES),
                        cudaDataType.CUDA_R_16F,
                        columns,
                        At.of(x, columns).pointer(device, Short.BYTES),
                        cudaDataType.CUDA_R_16F,
                        columns,
                        one(0),
                        At.of(y, features).pointer(device, Short.BYTES),
                        cudaDataType.CUDA_R_16F,
                        features,
                        cublasComputeType.CUBLAS_COMPUTE_32F,
                        cublasGemmAlgo.CUBLAS_GEMM_DEFAULT));
    }

    /** {@code C [m,n] <- A [m,k] · B [k,n]}, all float64. */
    void gemmDouble(int m, int n, int k, At a, At b, At c) {
        call(
                "cublasDgemm",
                JCublas2.cublasDgemm(
                        ready(),
                        cublasOperation.CUBLAS_OP_N,
                        cublasOperation.CUBLAS_OP_N,
                        n,
                        m,
                        k,
                        Pointer.to(new double[] {1}),
                        b.pointer(device, Double.BYTES),
                        b.stride,
                        a.pointer(device, Double.BYTES),
                        a.stride,
                        Pointer.to(new double[] {0}),
                        c.pointer(device, Double.BYTES),
                        c.stride));
    }

    /** Matrices of one shape, {@code apart} elements from one to the next. */
    record Series(At first, long apart) {}

    /** {@code C [m,n] <- C - op(A) · op(B)} of {@code count} matrices each. */
    void subtractProducts(Transpose opA, Transpose opB, int m, int n, int k, Series a, Series b, Series c, int count) {
        gemm(opA, opB, m, n, k, -1, a, b, 1, c, count);
    }

    /** {@code C [m,n] <- alpha · op(A) · op(B) + beta · C} of {@code count} matrices each. */
    void gemm(
            Transpose opA,
            Transpose opB,
            int m,
            int n,
            int k,
            float alpha,
            Series a,
            Series b,
            float beta,
            Series c,
            int count) {
        call(
                "cublasSgemmStridedBatched",
                JCublas2.cublasSgemmStridedBatched(
                        ready(),
                        operation(opB),
                        operation(opA),
                        n,
                        m,
                        k,
                        one(alpha),
                        floats(b.first),
                        b.first.stride,
                        b.apart,
                        floats(a.first),
                        a.first.stride,
                        a.apart,
                        one(beta),
                        floats(c.first),
                        c.first.stride,
                        c.apart,
                        count));
    }

    /** {@code C [n,n] <- C + alpha · Xᵀ X} of X [k,n]: the lower triangle. */
    void syrk(int n, int k, float alpha, At x, At c) {
        call(
                "cublasSsyrk",
                JCublas2.cublasSsyrk(
                        ready(),
                        cublasFillMode.CUBLAS_FILL_MODE_UPPER,
                        cublasOperation.CUBLAS_OP_N,
                        n,
                        k,
                        one(alpha),
                        floats(x),
                        x.stride,
                        one(1),
                        floats(c),
                        c.stride));
    }

    /** {@code X <- op(L)⁻¹ X} of the lower triangular L [n,n], X stored as rows [columns,n]: one after the other its columns. */
    void solve(Transpose op, int n, int columns, At l, At x) {
        call(
                "cublasStrsm",
                JCublas2.cublasStrsm(
                        ready(),
                        cublasSideMode.CUBLAS_SIDE_LEFT,
                        cublasFillMode.CUBLAS_FILL_MODE_UPPER,
                        transposed(op),
                        cublasDiagType.CUBLAS_DIAG_NON_UNIT,
                        n,
                        columns,
                        one(1),
                        floats(l),
                        l.stride,
                        floats(x),
                        x.stride));
    }

    /**
     * The same for {@code count} matrices and right-hand sides each.
     *
     * @param l addresses of the triangles on the device, their rows {@code lStride} apart
     * @param x addresses of the columns, which are {@code xStride} apart
     */
    void solve(Transpose op, int n, int columns, At l, int lStride, At x, int xStride, int count) {
        call(
                "cublasStrsmBatched",
                JCublas2.cublasStrsmBatched(
                        ready(),
                        cublasSideMode.CUBLAS_SIDE_LEFT,
                        cublasFillMode.CUBLAS_FILL_MODE_UPPER,
                        transposed(op),
                        cublasDiagType.CUBLAS_DIAG_NON_UNIT,
                        n,
                        columns,
                        one(1),
                        l.pointer(device, Long.BYTES),
                        lStride,
                        x.pointer(device, Long.BYTES),
                        xStride,
                        count));
    }

    private cublasHandle ready() {
        enter();
        return handle;
    }

    private Pointer floats(At at) {
        return at.pointer(device, Float.BYTES);
    }

    /** A factor, read while the call runs. */
    private static Pointer one(float value) {
        return Pointer.to(new float[] {value});
    }

    private static int operation(Transpose op) {
        return op == Transpose.NO ? cublasOperation.CUBLAS_OP_N : cublasOperation.CUBLAS_OP_T;
    }

    /** What is to be done with U = Lᵀ for L. */
    private static int transposed(Transpose op) {
        return op == Transpose.NO ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
    }

    private void call(String function, int status) {
        check(device, status, function);
        device.launched(function);
    }

    private static void check(CudaDevice device, int status, String function) {
        if (status == cublasStatus.CUBLAS_STATUS_ALLOC_FAILED) {
            throw new OutOfGpuMemoryException(device + " is out of memory: " + function + " has no room to work, "
                    + device.freeBytes() + " bytes of " + device.totalBytes() + " are free");
        }
        if (status != cublasStatus.CUBLAS_STATUS_SUCCESS) {
            throw new GpuException(
                    device + ": " + function + " failed: " + cublasStatus.stringFor(status) + " (" + status + ")");
        }
    }

    @Override
    int free() {
        int status = JCublas2.cublasDestroy(handle);
        return status == cublasStatus.CUBLAS_STATUS_SUCCESS ? 0 : CUresult.CUDA_ERROR_UNKNOWN;
    }
}
