package dev.obr.kernels.cuda;

import dev.obr.kernels.gpu.GpuException;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.OutOfGpuMemoryException;
import jcuda.Pointer;
import jcuda.cudaDataType;
import jcuda.jcusparse.JCusparse;
import jcuda.jcusparse.cusparseDnMatDescr;
import jcuda.jcusparse.cusparseHandle;
import jcuda.jcusparse.cusparseIndexBase;
import jcuda.jcusparse.cusparseIndexType;
import jcuda.jcusparse.cusparseOperation;
import jcuda.jcusparse.cusparseOrder;
import jcuda.jcusparse.cusparseSpMMAlg;
import jcuda.jcusparse.cusparseSpMatDescr;
import jcuda.jcusparse.cusparseStatus;
import jcuda.runtime.cudaStream_t;

/**
 * Products of half floats by cuSPARSE, the weights sparse: what our kernels are compared with. Sums are of float32.
 *
 * <p>cuSPARSE is told of the activations and results as matrices that lie column by column, which rows of tokens are: Y [features,tokens] = W [features,columns] . X [columns,tokens].
 */
public final class CudaSparseGemm extends CudaResource {
    private static final Pointer ONE = Pointer.to(new float[] {1});
    private static final Pointer ZERO = Pointer.to(new float[] {0});

    private final CudaDevice device;
    private final cusparseHandle handle;

    private CudaSparseGemm(CudaDevice device, cusparseHandle handle) {
        super(device, "cuSPARSE");
        this.device = device;
        this.handle = handle;
    }

    /** @throws dev.obr.kernels.ObrException where cuSPARSE is missing */
    public static CudaSparseGemm on(CudaDevice device) {
        CudaLibraries.requireSparse();
        device.enter();
        cusparseHandle handle = new cusparseHandle();
        check(device, JCusparse.cusparseCreate(handle), "cusparseCreate");
        return new CudaSparseGemm(device, handle);
    }

    /**
     * Weights as rows of kept entries (CSR).
     *
     * @param starts int [features + 1]: where each row begins among the entries
     * @param indices int [entries]: their columns
     * @param values fp16 [entries]
     */
    public SparseHalves csr(int features, int columns, GpuMemory starts, GpuMemory indices, GpuMemory values) {
        long entries = values.byteSize() / Short.BYTES;
        starts.requireBytes("row starts", Integer.BYTES * (features + 1L));
        indices.requireBytes("column indices", Integer.BYTES * entries);
        enter();
        cusparseSpMatDescr made = new cusparseSpMatDescr();
        check(
                device,
                JCusparse.cusparseCreateCsr(
                        made,
                        features,
                        columns,
                        entries,
                        pointer(starts),
                        pointer(indices),
                        pointer(values),
                        cusparseIndexType.CUSPARSE_INDEX_32I,
                        cusparseIndexType.CUSPARSE_INDEX_32I,
                        cusparseIndexBase.CUSPARSE_INDEX_BASE_ZERO,
                        cudaDataType.CUDA_R_16F),
                "cusparseCreateCsr");
        return new SparseHalves(device, made, features, columns);
    }

    /**
     * Weights as square blocks, equally many in each row of blocks (blocked ELL).
     *
     * @param block rows and columns of one
     * @param keptColumns columns of all blocks in a row
     * @param blocks int [features / block, keptColumns / block]: which column of blocks each is
     * @param values fp16 [features, keptColumns]
     */
    public SparseHalves blockedEll(
            int features, int columns, int block, int keptColumns, GpuMemory blocks, GpuMemory values) {
        blocks.requireBytes("block indices", (long) Integer.BYTES * (features / block) * (keptColumns / block));
        values.requireBytes("values", (long) Short.BYTES * features * keptColumns);
        enter();
        cusparseSpMatDescr made = new cusparseSpMatDescr();
        check(
                device,
                JCusparse.cusparseCreateBlockedEll(
                        made,
                        features,
                        columns,
                        block,
                        keptColumns,
                        pointer(blocks),
                        pointer(values),
                        cusparseIndexType.CUSPARSE_INDEX_32I,
                        cusparseIndexBase.CUSPARSE_INDEX_BASE_ZERO,
                        cudaDataType.CUDA_R_16F),
                "cusparseCreateBlockedEll");
        return new SparseHalves(device, made, features, columns);
    }

    /**
     * Prepares y = W . x of these operands, which stay where they are: what cuSPARSE finds out about the weights is found out now, not when it multiplies.
     *
     * @param x fp16 [tokens, columns]
     * @param y fp16 [tokens, features]
     */
    public Product product(GpuStream stream, SparseHalves w, GpuMemory x, int tokens, GpuMemory y) {
        x.requireBytes("activations", (long) Short.BYTES * tokens * w.columns());
        y.requireBytes("results", (long) Short.BYTES * tokens * w.features());
        enter();
        cusparseDnMatDescr from = dense(w.columns(), tokens, x);
        cusparseDnMatDescr to = dense(w.features(), tokens, y);
        check(device, JCusparse.cusparseSetStream(handle, streamOf(stream)), "cusparseSetStream");
        long[] bytes = new long[1];
        check(
                device,
                JCusparse.cusparseSpMM_bufferSize(
                        handle,
                        cusparseOperation.CUSPARSE_OPERATION_NON_TRANSPOSE,
                        cusparseOperation.CUSPARSE_OPERATION_NON_TRANSPOSE,
                        ONE,
                        w.descriptor(device).asConst(),
                        from.asConst(),
                        ZERO,
                        to,
                        cudaDataType.CUDA_R_32F,
                        cusparseSpMMAlg.CUSPARSE_SPMM_ALG_DEFAULT,
                        bytes),
                "cusparseSpMM_bufferSize");
        Product product = new Product(w, from, to, device.own(device.allocate(Math.max(bytes[0], 1))));
        check(
                device,
                JCusparse.cusparseSpMM_preprocess(
                        handle,
                        cusparseOperation.CUSPARSE_OPERATION_NON_TRANSPOSE,
                        cusparseOperation.CUSPARSE_OPERATION_NON_TRANSPOSE,
                        ONE,
                        w.descriptor(device).asConst(),
                        from.asConst(),
                        ZERO,
                        to,
                        cudaDataType.CUDA_R_32F,
                        cusparseSpMMAlg.CUSPARSE_SPMM_ALG_DEFAULT,
                        pointer(product.workspace)),
                "cusparseSpMM_preprocess");
        return product;
    }

    private cusparseDnMatDescr dense(long rows, long cols, GpuMemory memory) {
        cusparseDnMatDescr made = new cusparseDnMatDescr();
        check(
                device,
                JCusparse.cusparseCreateDnMat(
                        made,
                        rows,
                        cols,
                        rows,
                        pointer(memory),
                        cudaDataType.CUDA_R_16F,
                        cusparseOrder.CUSPARSE_ORDER_COL),
                "cusparseCreateDnMat");
        return made;
    }

    private Pointer pointer(GpuMemory memory) {
        return device.own(memory).at(device, 0, memory.byteSize());
    }

    private static cudaStream_t streamOf(GpuStream stream) {
        return new cudaStream_t(((CudaStream) stream).handle());
    }

    /** A product that is ready to be queued, as often as wanted. */
    public final class Product extends CudaResource {
        private final SparseHalves w;
        private final cusparseDnMatDescr x;
        private final cusparseDnMatDescr y;
        private final CudaMemory workspace;

        private Product(SparseHalves w, cusparseDnMatDescr x, cusparseDnMatDescr y, CudaMemory workspace) {
            super(device, "cuSPARSE's product");
            this.w = w;
            this.x = x;
            this.y = y;
            this.workspace = workspace;
        }

        /** Queues it; it cannot be recorded in a graph. */
        public void multiply(GpuStream stream) {
            enter();
            check(device, JCusparse.cusparseSetStream(handle, streamOf(stream)), "cusparseSetStream");
            check(
                    device,
                    JCusparse.cusparseSpMM(
                            handle,
                            cusparseOperation.CUSPARSE_OPERATION_NON_TRANSPOSE,
                            cusparseOperation.CUSPARSE_OPERATION_NON_TRANSPOSE,
                            ONE,
                            w.descriptor(device).asConst(),
                            x.asConst(),
                            ZERO,
                            y,
                            cudaDataType.CUDA_R_32F,
                            cusparseSpMMAlg.CUSPARSE_SPMM_ALG_DEFAULT,
                            pointer(workspace)),
                    "cusparseSpMM");
            device.launched("cusparseSpMM");
        }

        @Override
        int free() {
            int first = JCusparse.cusparseDestroyDnMat(x.asConst());
            int second = JCusparse.cusparseDestroyDnMat(y.asConst());
            workspace.close();
            return SparseHalves.answer(first == cusparseStatus.CUSPARSE_STATUS_SUCCESS ? second : first);
        }
    }

    private static void check(CudaDevice device, int status, String function) {
        if (status == cusparseStatus.CUSPARSE_STATUS_ALLOC_FAILED
                || status == cusparseStatus.CUSPARSE_STATUS_INSUFFICIENT_RESOURCES) {
            throw new OutOfGpuMemoryException(device + " is out of memory: " + function + " has no room to work, "
                    + device.freeBytes() + " bytes of " + device.totalBytes() + " are free");
        }
        if (status != cusparseStatus.CUSPARSE_STATUS_SUCCESS) {
            throw new GpuException(
                    device + ": " + function + " failed: " + cusparseStatus.stringFor(status) + " (" + status + ")");
        }
    }

    @Override
    int free() {
        return SparseHalves.answer(JCusparse.cusparseDestroy(handle));
    }
}
