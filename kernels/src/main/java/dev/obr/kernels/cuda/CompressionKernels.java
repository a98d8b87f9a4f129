package dev.obr.kernels.cuda;

import dev.obr.kernels.gpu.attention.CausalSoftmax;
import dev.obr.kernels.gpu.systems.DescentKernel;
import dev.obr.kernels.gpu.systems.SelectionKernels;
import dev.obr.kernels.gpu.systems.SweepKernel;
import org.jspecify.annotations.Nullable;

/** Our kernels of a {@link CudaLinearAlgebra}'s calls, each loaded when it is first asked for; the device frees them. */
final class CompressionKernels {
    private final CudaDevice device;
    private @Nullable SelectionKernels selection;
    private @Nullable SweepKernel sweep;
    private @Nullable DescentKernel descent;
    private @Nullable CausalSoftmax softmax;

    CompressionKernels(CudaDevice device) {
        this.device = device;
    }

    SelectionKernels selection() {
        SelectionKernels loaded = selection == null ? new SelectionKernels(device) : selection;
        selection = loaded;
        return loaded;
    }

    SweepKernel sweep() {
        SweepKernel loaded = sweep == null ? new SweepKernel(device) : sweep;
        sweep = loaded;
        return loaded;
    }

    DescentKernel descent() {
        DescentKernel loaded = descent == null ? new DescentKernel(device) : descent;
        descent = loaded;
        return loaded;
    }

    CausalSoftmax softmax() {
        CausalSoftmax loaded = softmax == null ? new CausalSoftmax(device) : softmax;
        softmax = loaded;
        return loaded;
    }
}
