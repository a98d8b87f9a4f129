package dev.obr.kernels.emulator;

/** Something of a device that is given back once: by its owner, or by the device's own end. */
abstract class EmulatedResource implements AutoCloseable {
    private final EmulatedDevice device;
    private final String what;
    private boolean closed;

    /** @param what it is, for errors: "the stream", "the module m.ptx" */
    EmulatedResource(EmulatedDevice device, String what) {
        this.device = device;
        this.what = what;
        device.keep(this);
    }

    final EmulatedDevice device() {
        return device;
    }

    /** Makes sure that this, and its device, may be used. */
    final void enter() {
        requireOf(device);
        device.enter();
    }

    /** Makes sure that a call on {@code user} may use this. */
    final void requireOf(EmulatedDevice user) {
        if (closed) {
            throw new IllegalStateException(what + " is closed");
        }
        if (device != user) {
            throw new IllegalArgumentException(what + " belongs to another device");
        }
    }

    @Override
    public final void close() {
        if (!closed) {
            device.refuseInRecording();
            try {
                free();
            } finally {
                closed = true;
                device.forget(this);
            }
        }
    }

    abstract void free();

    @Override
    public final String toString() {
        return what;
    }
}
