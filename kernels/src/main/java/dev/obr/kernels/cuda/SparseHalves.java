package dev.obr.kernels.cuda;

import jcuda.driver.CUresult;
import jcuda.jcusparse.JCusparse;
import jcuda.jcusparse.cusparseSpMatDescr;
import jcuda.jcusparse.cusparseStatus;

/** Sparse weights of half floats as cuSPARSE knows them: where they lie and how. The memory is the caller's. */
public final class SparseHalves extends CudaResource {
    private final cusparseSpMatDescr descriptor;
    private final int features;
    private final int columns;

    SparseHalves(CudaDevice device, cusparseSpMatDescr descriptor, int features, int columns) {
        super(device, "cuSPARSE's weights");
        this.descriptor = descriptor;
        this.features = features;
        this.columns = columns;
    }

    int features() {
        return features;
    }

    int columns() {
        return columns;
    }

    cusparseSpMatDescr descriptor(CudaDevice device) {
        requireOf(device);
        return descriptor;
    }

    /** cuSPARSE's answer as the driver's. */
    static int answer(int status) {
        return status == cusparseStatus.CUSPARSE_STATUS_SUCCESS ? 0 : CUresult.CUDA_ERROR_UNKNOWN;
    }

    @Override
    int free() {
        return answer(JCusparse.cusparseDestroySpMat(descriptor.asConst()));
    }
}
