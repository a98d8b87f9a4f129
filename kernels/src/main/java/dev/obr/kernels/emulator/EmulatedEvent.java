package dev.obr.kernels.emulator;

import dev.obr.kernels.gpu.GpuEvent;
import org.jspecify.annotations.Nullable;

/** A point in a stream's work; each recording moves it to a later one. */
final class EmulatedEvent extends EmulatedResource implements GpuEvent {
    private @Nullable EmulatedStream stream;
    private long recordings;
    private long passed;
    private long nanos;

    EmulatedEvent(EmulatedDevice device) {
        super(device, "the event");
    }

    /** Work for {@code onto} that passes this recording. */
    Runnable record(EmulatedStream onto) {
        stream = onto;
        long recording = ++recordings;
        return () -> {
            passed = recording;
            nanos = System.nanoTime();
        };
    }

    /** Work that brings the stream of the latest recording up to it. */
    Runnable await() {
        EmulatedStream awaited = recordedOn();
        long recording = recordings;
        return () -> awaited.runUntil(() -> passed >= recording);
    }

    private EmulatedStream recordedOn() {
        EmulatedStream recorded = stream;
        if (recorded == null) {
            throw new IllegalStateException("the event has not been recorded");
        }
        return recorded;
    }

    @Override
    public void synchronize() {
        enter();
        device().refuseInRecording();
        await().run();
    }

    /** Of the emulator itself. */
    @Override
    public float millisSince(GpuEvent start) {
        enter();
        EmulatedEvent first = device().own(start, EmulatedEvent.class);
        first.recordedOn();
        recordedOn();
        if (first.passed < first.recordings || passed < recordings) {
            throw new IllegalStateException("the events have not been passed, synchronize with the later one first");
        }
        return (nanos - first.nanos) / 1e6f;
    }

    @Override
    void free() {}
}
