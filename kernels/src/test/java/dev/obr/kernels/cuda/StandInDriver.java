package dev.obr.kernels.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.obr.kernels.emulator.Emulator;
import dev.obr.kernels.emulator.EmulatorOptions;
import dev.obr.kernels.emulator.GlobalMemory;
import dev.obr.kernels.emulator.PtxKernel;
import dev.obr.kernels.emulator.PtxModule;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.LaunchShape;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import jcuda.JCudaVersion;
import org.jspecify.annotations.Nullable;

/**
 * The stand-in for NVIDIA's driver (standin_cuda.c), compiled, loaded in this process before JCuda is, and connected to the PTX emulator. A process loads one driver for its life.
 */
final class StandInDriver {
    private static final int INVALID_PTX = 0;
    private static final int LAUNCH_FAILED = 719;

    /**
     * How it behaves.
     *
     * @param initResult what cuInit gives
     */
    record Options(
            int initResult, int driverVersion, int devices, int major, int minor, int sharedLimit, long memoryBytes) {
        static final Options USUAL = new Options(0, 12000, 1, 8, 0, 163 << 10, 64 << 20);

        Options withInitResult(int result) {
            return new Options(result, driverVersion, devices, major, minor, sharedLimit, memoryBytes);
        }

        Options withDriverVersion(int version) {
            return new Options(initResult, version, devices, major, minor, sharedLimit, memoryBytes);
        }

        Options withDevices(int count) {
            return new Options(initResult, driverVersion, count, major, minor, sharedLimit, memoryBytes);
        }
    }

    private final MethodHandle configure;
    private final MethodHandle live;
    private final GlobalMemory memory = new GlobalMemory();
    private final Emulator emulator = new Emulator(EmulatorOptions.checked());
    private final List<PtxModule> modules = new ArrayList<>();
    private final List<PtxKernel> kernels = new ArrayList<>();
    private @Nullable Throwable lastError;

    private StandInDriver(SymbolLookup library) throws ReflectiveOperationException {
        configure = function(library, "standin_configure", FunctionDescriptor.ofVoid(ADDRESS));
        live = function(library, "standin_live", FunctionDescriptor.of(JAVA_INT));
        MemorySegment table = Arena.global().allocate(ADDRESS, 5);
        table.setAtIndex(ADDRESS, 0, stub("load", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG)));
        table.setAtIndex(
                ADDRESS,
                1,
                stub("kernel", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS)));
        table.setAtIndex(ADDRESS, 2, stub("launch", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS)));
        table.setAtIndex(ADDRESS, 3, stub("mapped", FunctionDescriptor.ofVoid(JAVA_LONG, ADDRESS, JAVA_LONG)));
        table.setAtIndex(ADDRESS, 4, stub("unmapped", FunctionDescriptor.ofVoid(JAVA_LONG)));
        try {
            function(library, "standin_register", FunctionDescriptor.ofVoid(ADDRESS))
                    .invokeExact(table);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** Why it cannot be built here; empty where it can. */
    static String whyNot() {
        if (!System.getProperty("os.name").equals("Linux")
                || !System.getProperty("os.arch").equals("amd64")) {
            return "JCuda's native half is here for linux-x86_64 only";
        }
        for (String tool : List.of("gcc", "nm")) {
            try {
                run(List.of(tool, "--version"));
            } catch (IOException e) {
                return "the stand-in driver is compiled with gcc and nm, and there is no " + tool;
            }
        }
        return "";
    }

    /** Builds it in {@code folder} and makes it this process's driver. */
    static StandInDriver load(Path folder) throws IOException, ReflectiveOperationException {
        Path unsupported = Files.writeString(folder.resolve("unsupported.c"), unsupported(folder));
        Path library = folder.resolve("libcuda.so.1");
        run(List.of(
                "gcc",
                "-std=gnu11",
                "-O1",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-shared",
                "-fPIC",
                "-Wl,-soname,libcuda.so.1",
                "-o",
                library.toString(),
                "src/test/c/standin_cuda.c",
                unsupported.toString()));
        System.load(library.toString()); // from here on, whoever needs a libcuda.so.1 gets this one
        return new StandInDriver(SymbolLookup.libraryLookup(library, Arena.global()));
    }

    /** A weak function for each symbol that JCuda's native half needs: calling one that is missing would end the process. */
    private static String unsupported(Path folder) throws IOException {
        String name = "libJCudaDriver-" + JCudaVersion.get() + "-linux-x86_64.so";
        Path jcuda = folder.resolve(name);
        try (InputStream packed = StandInDriver.class.getResourceAsStream("/lib/" + name)) {
            Files.write(jcuda, packed.readAllBytes());
        }
        return run(List.of("nm", "-D", "--undefined-only", jcuda.toString()))
                .lines()
                .map(line -> line.substring(line.lastIndexOf(' ') + 1))
                .filter(symbol -> symbol.matches("cu[A-Z]\\w+"))
                .map(symbol -> "__attribute__((weak)) int " + symbol + "(void) { return 801; }\n")
                .collect(Collectors.joining());
    }

    private static String run(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) {
                throw new IllegalStateException(command + " failed: " + output);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
        return output;
    }

    void configure(Options options) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(32, 8);
            int[] ints = {
                options.initResult,
                options.driverVersion,
                options.devices,
                options.major,
                options.minor,
                options.sharedLimit
            };
            MemorySegment.copy(ints, 0, struct, JAVA_INT, 0, ints.length);
            struct.set(JAVA_LONG, 24, options.memoryBytes);
            configure.invokeExact(struct);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** How many of the program's things, contexts among them, are not freed. */
    int live() {
        try {
            return (int) live.invokeExact();
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** What the emulator said last; the driver above knows a number of it only. */
    @Nullable
    Throwable lastError() {
        return lastError;
    }

    private static MethodHandle function(SymbolLookup library, String name, FunctionDescriptor type) {
        return Linker.nativeLinker().downcallHandle(library.findOrThrow(name), type);
    }

    /** A function pointer to this object's method. */
    private MemorySegment stub(String method, FunctionDescriptor type) throws ReflectiveOperationException {
        MethodType signature = type.toMethodType();
        MethodHandle target = MethodHandles.lookup()
                .findVirtual(StandInDriver.class, method, signature)
                .bindTo(this);
        return Linker.nativeLinker().upcallStub(target, type, Arena.global());
    }

    // ---- called by standin_cuda.c; nothing may be thrown into C ----

    @SuppressWarnings("unused")
    private int load(MemorySegment ptx, MemorySegment log, long logBytes) {
        try {
            modules.add(PtxModule.parse("ptx", ptx.reinterpret(Long.MAX_VALUE).getString(0)));
            return modules.size();
        } catch (Throwable e) {
            lastError = e;
            byte[] said = String.valueOf(e.getMessage()).getBytes(StandardCharsets.UTF_8);
            int bytes = (int) Math.min(said.length, logBytes - 1);
            MemorySegment.copy(said, 0, log.reinterpret(logBytes), JAVA_BYTE, 0, bytes);
            log.reinterpret(logBytes).set(JAVA_BYTE, bytes, (byte) 0);
            return INVALID_PTX;
        }
    }

    @SuppressWarnings("unused")
    private int kernel(
            int module, MemorySegment name, MemorySegment count, MemorySegment bytes, MemorySegment sharedBytes) {
        try {
            PtxKernel kernel = modules.get(module - 1)
                    .kernel(name.reinterpret(Long.MAX_VALUE).getString(0));
            int parameters = kernel.parameters().size();
            count.reinterpret(4).set(JAVA_INT, 0, parameters);
            for (int i = 0; i < parameters; i++) {
                bytes.reinterpret(4L * parameters)
                        .setAtIndex(JAVA_INT, i, kernel.parameters().get(i).bytes());
            }
            sharedBytes.reinterpret(4).set(JAVA_INT, 0, kernel.staticSharedBytes());
            kernels.add(kernel);
            return kernels.size();
        } catch (Throwable e) {
            lastError = e;
            return 0;
        }
    }

    @SuppressWarnings("unused")
    private int launch(int number, MemorySegment shape, MemorySegment values) {
        try {
            PtxKernel kernel = kernels.get(number - 1);
            int[] extents = shape.reinterpret(28).toArray(JAVA_INT);
            LaunchShape launch = new LaunchShape(
                    new LaunchShape.Dim(extents[0], extents[1], extents[2]),
                    new LaunchShape.Dim(extents[3], extents[4], extents[5]),
                    extents[6]);
            List<KernelArguments.Argument> arguments = new ArrayList<>();
            for (int i = 0; i < kernel.parameters().size(); i++) {
                long bits = values.reinterpret(8L * (i + 1)).getAtIndex(JAVA_LONG, i);
                arguments.add(new KernelArguments.Argument(
                        bits, kernel.parameters().get(i).bytes()));
            }
            emulator.launch(kernel, launch, arguments, memory);
            return 0;
        } catch (Throwable e) {
            lastError = e;
            return LAUNCH_FAILED;
        }
    }

    @SuppressWarnings("unused")
    private void mapped(long address, MemorySegment host, long bytes) {
        try {
            memory.map(address, host.reinterpret(bytes), true);
        } catch (Throwable e) {
            lastError = e;
        }
    }

    @SuppressWarnings("unused")
    private void unmapped(long address) {
        try {
            memory.unmap(address);
        } catch (Throwable e) {
            lastError = e;
        }
    }
}
