package dev.obr.kernels.cuda;

import dev.obr.kernels.gpu.GpuEvent;
import jcuda.driver.CUevent;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

final class CudaEvent extends CudaResource implements GpuEvent {
    private final CUevent event;
    private boolean recorded;

    CudaEvent(CudaDevice device, CUevent event) {
        super(device, "the event");
        this.event = event;
    }

    /** The driver's event, about to be recorded. */
    CUevent toRecord(CudaDevice device) {
        requireOf(device);
        recorded = true;
        return event;
    }

    /** The driver's event, which must have been recorded: the driver would take any other as passed. */
    CUevent recorded(CudaDevice device) {
        requireOf(device);
        if (!recorded) {
            throw new IllegalStateException("the event has not been recorded");
        }
        return event;
    }

    @Override
    public void synchronize() {
        CudaDevice device = enter();
        device.refuseInRecording();
        device.check(JCudaDriver.cuEventSynchronize(recorded(device)), "cuEventSynchronize");
    }

    @Override
    public float millisSince(GpuEvent start) {
        CudaDevice device = enter();
        float[] millis = new float[1];
        int result = JCudaDriver.cuEventElapsedTime(millis, device.own(start).recorded(device), recorded(device));
        if (result == CUresult.CUDA_ERROR_NOT_READY) {
            throw new IllegalStateException("the events have not been passed, synchronize with the later one first");
        }
        device.check(result, "cuEventElapsedTime");
        return millis[0];
    }

    @Override
    int free() {
        return JCudaDriver.cuEventDestroy(event);
    }
}
