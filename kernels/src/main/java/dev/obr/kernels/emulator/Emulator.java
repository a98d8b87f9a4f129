package dev.obr.kernels.emulator;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.LaunchShape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Runs kernels. One emulator may run several launches, one at a time. */
public final class Emulator {
    private final EmulatorOptions options;

    public Emulator(EmulatorOptions options) {
        this.options = options;
    }

    public EmulatorOptions options() {
        return options;
    }

    /**
     * Runs one kernel to its end.
     *
     * @param arguments as many as the kernel has parameters, each of its parameter's size (8 and 16 bit parameters take one of 4 bytes)
     * @return what it did
     * @throws EmulationException if it does what it must not; memory is left as it then was
     * @throws dev.obr.kernels.ObrException if the shape or the arguments do not fit the kernel
     */
    public LaunchCounters launch(
            PtxKernel kernel, LaunchShape shape, List<KernelArguments.Argument> arguments, GlobalMemory memory) {
        KernelCode code = kernel.code();
        check(kernel, shape);
        byte[] parameters = parameters(kernel, arguments);
        LaunchMemory launch = new LaunchMemory(memory, code.variables().region());
        int blocks = (int) shape.grid().count();
        int threads = Math.min(options.threads(), blocks);
        List<ThreadBlock> workers = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            workers.add(new ThreadBlock(code, shape, options, launch, parameters));
        }
        Blocks open = new Blocks(blocks, options.schedule() == Schedule.REVERSED);
        if (threads == 1) {
            open.run(workers.getFirst());
        } else {
            runAll(open, workers);
        }
        open.rethrow();
        KernelCounters sum = new KernelCounters(code.instructions().length);
        workers.forEach(worker -> sum.add(worker.counters()));
        return LaunchCounters.of(code, sum);
    }

    private static void runAll(Blocks open, List<ThreadBlock> workers) {
        List<Thread> threads = new ArrayList<>();
        for (ThreadBlock worker : workers) {
            threads.add(Thread.ofPlatform().name("emulator").daemon(true).start(() -> open.run(worker)));
        }
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (true) {
                try {
                    thread.join();
                    break;
                } catch (InterruptedException e) {
                    open.stop();
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
            throw new ObrException("The emulator was interrupted.");
        }
    }

    /** The blocks that are still to run. When some fail, the error is that of the first in order, as it would be with one thread. */
    private static final class Blocks {
        private final int count;
        private final boolean reversed;
        private final AtomicInteger next = new AtomicInteger();
        private final Map<Integer, Throwable> failures = new TreeMap<>();
        private volatile boolean stopped;

        Blocks(int count, boolean reversed) {
            this.count = count;
            this.reversed = reversed;
        }

        void stop() {
            stopped = true;
        }

        @SuppressWarnings("CatchingUnchecked") // rethrown by whoever launched
        void run(ThreadBlock worker) {
            while (!stopped) {
                int i = next.getAndIncrement();
                if (i >= count) {
                    return;
                }
                try {
                    worker.run(reversed ? count - 1 - i : i);
                } catch (RuntimeException | Error e) {
                    stopped = true;
                    synchronized (failures) {
                        failures.put(i, e);
                    }
                }
            }
        }

        void rethrow() {
            synchronized (failures) {
                for (Throwable failure : failures.values()) {
                    if (failure instanceof Error error) {
                        throw error;
                    }
                    throw (RuntimeException) failure;
                }
            }
        }
    }

    private static void check(PtxKernel kernel, LaunchShape shape) {
        if (shape.block().count() > kernel.maxThreads()) {
            throw new ObrException(kernel.name() + " is compiled for blocks of at most " + kernel.maxThreads()
                    + " threads, not " + shape.block().count());
        }
        if (shape.grid().count() > Integer.MAX_VALUE) {
            throw new ObrException("The emulator runs at most 2^31 - 1 thread blocks, not "
                    + shape.grid().count());
        }
    }

    private static byte[] parameters(PtxKernel kernel, List<KernelArguments.Argument> arguments) {
        List<PtxParameter> parameters = kernel.parameters();
        if (arguments.size() != parameters.size()) {
            throw new ObrException(
                    kernel.name() + " has " + parameters.size() + " parameters, not " + arguments.size());
        }
        byte[] bytes = new byte[kernel.code().parameterBytes()];
        for (int i = 0; i < parameters.size(); i++) {
            PtxParameter parameter = parameters.get(i);
            int given = arguments.get(i).bytes();
            if (given != Math.max(4, parameter.bytes()) || parameter.bytes() > 8) {
                throw new ObrException("Parameter " + parameter.name() + " of " + kernel.name() + " has "
                        + parameter.bytes() + " bytes, the argument " + given);
            }
            for (int b = 0; b < parameter.bytes(); b++) {
                bytes[parameter.offset() + b] = (byte) (arguments.get(i).bits() >>> 8 * b);
            }
        }
        return bytes;
    }
}
