package dev.obr.kernels.cuda;

import jcuda.driver.CUdeviceptr;

/** An allocation of the driver, whose number JCuda keeps to itself. */
final class DeviceAddress extends CUdeviceptr {
    long value() {
        return getNativePointer();
    }
}
