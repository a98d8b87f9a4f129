package dev.obr.kernels.cuda;

import dev.obr.kernels.gpu.GpuGraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.JCudaDriver;

final class CudaGraph extends CudaResource implements GpuGraph {
    private final CUgraphExec executable;

    CudaGraph(CudaDevice device, CUgraphExec executable) {
        super(device, "the graph");
        this.executable = executable;
    }

    CUgraphExec executable(CudaDevice device) {
        requireOf(device);
        return executable;
    }

    @Override
    int free() {
        return JCudaDriver.cuGraphExecDestroy(executable);
    }
}
