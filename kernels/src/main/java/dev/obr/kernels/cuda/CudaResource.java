package dev.obr.kernels.cuda;

/** Something of a device that is given back once: by its owner, or by the device's own end. */
abstract class CudaResource implements AutoCloseable {
    private final CudaDevice device;
    private final String what;
    private boolean closed;

    /** @param what it is, for errors: "the stream", "the module m.ptx" */
    CudaResource(CudaDevice device, String what) {
        this.device = device;
        this.what = what;
        device.keep(this);
    }

    /** The device, ready for a call that uses this. */
    final CudaDevice enter() {
        if (closed) {
            throw new IllegalStateException(what + " is closed");
        }
        device.enter();
        return device;
    }

    /** Makes sure that a call on {@code device} may use this. */
    final void requireOf(CudaDevice other) {
        if (closed) {
            throw new IllegalStateException(what + " is closed");
        }
        if (device != other) {
            throw new IllegalArgumentException(what + " belongs to another device");
        }
    }

    @Override
    public final void close() {
        if (!closed) {
            device.refuseInRecording();
            closed = true;
            device.forget(this);
            device.enter();
            device.check(free(), "freeing " + what);
        }
    }

    /** Gives it back; the driver's answer. */
    abstract int free();

    @Override
    public final String toString() {
        return what;
    }
}
