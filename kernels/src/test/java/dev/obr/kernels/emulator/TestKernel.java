package dev.obr.kernels.emulator;

import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.LaunchShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * A hand-written kernel on one buffer of ints. In its text %out is the buffer's address, %mine that of the thread's own int, %t the thread's number in the block, %b the block's; %r, %p, %x, %h
 * and %f registers are free.
 */
final class TestKernel {
    static final long BUFFER = 1 << 20;

    private final String body;
    private int ints = 1024;
    private boolean initialised = true;
    private int threads = 32;
    private int blocks = 1;
    private int dynamicShared;
    private EmulatorOptions options = EmulatorOptions.checked();

    TestKernel(String body) {
        this.body = body;
    }

    TestKernel threads(int count) {
        threads = count;
        return this;
    }

    TestKernel blocks(int count) {
        blocks = count;
        return this;
    }

    TestKernel dynamicShared(int bytes) {
        dynamicShared = bytes;
        return this;
    }

    TestKernel ints(int count) {
        ints = count;
        return this;
    }

    TestKernel uninitialised() {
        initialised = false;
        return this;
    }

    TestKernel options(EmulatorOptions other) {
        options = other;
        return this;
    }

    /** What a launch left. */
    record Result(int[] ints, LaunchCounters counters) {}

    /** The buffer holds its own indices before. */
    Result run() {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(4L * ints, 256);
            for (int i = 0; i < ints; i++) {
                memory.setAtIndex(ValueLayout.JAVA_INT, i, i);
            }
            GlobalMemory global = new GlobalMemory();
            global.map(BUFFER, memory, initialised);
            LaunchCounters counters = new Emulator(options)
                    .launch(
                            PtxModule.parse("test.ptx", module()).kernel("test"),
                            LaunchShape.of(blocks, threads, dynamicShared),
                            List.of(new KernelArguments.Argument(BUFFER, 8)),
                            global);
            return new Result(memory.toArray(ValueLayout.JAVA_INT), counters);
        }
    }

    String module() {
        return """
                .version 8.0
                .target sm_80
                .address_size 64
                .extern .shared .align 16 .b8 dynamic[];
                .visible .entry test(.param .u64 buffer)
                {
                .reg .pred %p<16>; .reg .b32 %r<32>; .reg .b64 %x<16>; .reg .b16 %h<8>; .reg .f32 %f<8>;
                .reg .b64 %out, %mine, %block; .reg .b32 %t, %b, %n, %i;
                .shared .align 16 .b8 shared[4096];
                ld.param.u64 %out, [buffer];
                mov.u32 %t, %tid.x; mov.u32 %b, %ctaid.x; mov.u32 %n, %ntid.x;
                mad.lo.s32 %i, %b, %n, %t;
                mul.wide.u32 %mine, %i, 4;
                add.s64 %mine, %mine, %out;
                """
                + body + "\nret;\n}\n";
    }
}
