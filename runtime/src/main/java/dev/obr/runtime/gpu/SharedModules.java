package dev.obr.runtime.gpu;

import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuEvent;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuModule;
import dev.obr.kernels.gpu.GpuStream;
import java.util.HashMap;
import java.util.Map;

/** A device that assembles each PTX once, whoever loads it: prompts and steps, norms and heads use entries of the same modules. These live as long as the device. */
final class SharedModules implements GpuDevice {
    private final GpuDevice device;
    private final Map<String, GpuModule> modules = new HashMap<>();

    SharedModules(GpuDevice device) {
        this.device = device;
    }

    /** A module that its users do not close. */
    private record Shared(GpuModule module) implements GpuModule {
        @Override
        public GpuKernel kernel(String name) {
            return module.kernel(name);
        }

        @Override
        public void close() {}
    }

    @Override
    public GpuModule load(String name, String ptx) {
        GpuModule module = modules.get(name);
        if (module == null) {
            module = device.load(name, ptx);
            modules.put(name, module);
        }
        return new Shared(module);
    }

    @Override
    public String name() {
        return device.name();
    }

    @Override
    public ComputeCapability capability() {
        return device.capability();
    }

    @Override
    public int multiprocessors() {
        return device.multiprocessors();
    }

    @Override
    public long freeBytes() {
        return device.freeBytes();
    }

    @Override
    public long totalBytes() {
        return device.totalBytes();
    }

    @Override
    public GpuMemory allocate(long bytes) {
        return device.allocate(bytes);
    }

    @Override
    public GpuStream newStream() {
        return device.newStream();
    }

    @Override
    public GpuEvent newEvent() {
        return device.newEvent();
    }

    @Override
    public void synchronize() {
        device.synchronize();
    }

    @Override
    public void close() {
        device.close();
    }

    @Override
    public String toString() {
        return device.toString();
    }
}
