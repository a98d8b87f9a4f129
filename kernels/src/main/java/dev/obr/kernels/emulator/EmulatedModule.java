package dev.obr.kernels.emulator;

import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuModule;

final class EmulatedModule extends EmulatedResource implements GpuModule {
    private final PtxModule module;

    EmulatedModule(EmulatedDevice device, String name, PtxModule module) {
        super(device, "the module " + name);
        this.module = module;
    }

    @Override
    public GpuKernel kernel(String name) {
        enter();
        return new EmulatedKernel(this, module.kernel(name));
    }

    @Override
    void free() {
        if (!device().failed()) {
            device().runStreams(); // its kernels may be queued
        }
    }
}
