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
public final class StandInDriver {
    private static final int INVALID_PTX = 0;
    private static final int LAUNCH_FAILED = 719;

    /**
     * How it behaves.
     *
     * @param initResult what cuInit gives
     */
    public record Options(
            int initResult, int driverVersion, int devices, int major, int minor, int sharedLimit, long memoryBytes) {
        public static final Options USUAL = new Options(0, 12000, 1, 8, 0, 163 << 10, 64 << 20);

        Options withInitResult(int result) {
            return new Options(result, driverVersion, devices, major, minor, sharedLimit, memoryBytes);
        }

        Options withDriverVersion(int version) {
            return new Options(initResult, version, devices, major, minor, sharedLimit, memoryBytes);
        }

        Options withDevices(int count) {
            return new Options(initResult, driverVersion, count, major, minor, sharedLimit, memoryBytes);
        }

        public Options withMemory(long bytes) {
            return new Options(initResult, driverVersion, devices, major, minor, sharedLimit, bytes);
        }
    }

    private final MethodHandle configure;
    private final MethodHandle live;
    private final MethodHandle fail;
    private final Path folder;
    private final GlobalMemory memory = new GlobalMemory();
    private final Emulator emulator = new Emulator(EmulatorOptions.checked());
    private final List<PtxModule> modules = new ArrayList<>();
    private final List<PtxKernel> kernels = new ArrayList<>();
    private @Nullable Throwable lastError;

    private StandInDriver(SymbolLookup library, Path folder) throws ReflectiveOperationException {
        this.folder = folder;
        fail = function(library, "standin_fail", FunctionDescriptor.ofVoid(JAVA_INT, JAVA_INT));
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
    public static String whyNot() {
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

    /** The one of this process, built when it is first asked for. */
    public static StandInDriver shared() {
        return Shared.DRIVER;
    }

    private static final class Shared {
        static final StandInDriver DRIVER = load();

        private static StandInDriver load() {
            try {
                return StandInDriver.load(Files.createTempDirectory("obr-stand-in"));
            } catch (IOException | ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** Where it was built, for libraries that are linked to it. */
    Path folder() {
        return folder;
    }

    /** Builds it in {@code folder} and makes it this process's driver. */
    private static StandInDriver load(Path folder) throws IOException, ReflectiveOperationException {
        Path library = folder.resolve("libcuda.so.1");
        compile(library, "standin_cuda.c", unsupported(folder, "libJCudaDriver-", "cu[A-Z]\\w+", 801), List.of());
        System.load(library.toString()); // from here on, whoever needs a libcuda.so.1 gets this one
        return new StandInDriver(SymbolLookup.libraryLookup(library, Arena.global()), folder);
    }

    /** @param source in the tests' C folder, which is beside this module's or another's */
    static void compile(Path library, String source, Path unsupported, List<String> options) throws IOException {
        Path sources = Path.of("../kernels/src/test/c");
        List<String> command = new ArrayList<>(List.of(
                "gcc",
                "-std=gnu11",
                "-O2",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-shared",
                "-fPIC",
                "-Wl,-soname," + library.getFileName(),
                "-o",
                library.toString(),
                sources.resolve(source).toString(),
                unsupported.toString()));
        command.addAll(options);
        run(command);
    }

    /**
     * A source with a weak function for each symbol that one of JCuda's native halves needs: calling one that is missing would end the process.
     *
     * @param prefix of that library's name
     * @param symbols a pattern of their names
     * @param answer what each returns
     */
    static Path unsupported(Path folder, String prefix, String symbols, int answer) throws IOException {
        String name = prefix + JCudaVersion.get() + "-linux-x86_64.so";
        Path jcuda = folder.resolve(name);
        try (InputStream packed = StandInDriver.class.getResourceAsStream("/lib/" + name)) {
            Files.write(jcuda, packed.readAllBytes());
        }
        String functions = run(List.of("nm", "-D", "--undefined-only", jcuda.toString()))
                .lines()
                .map(line -> line.substring(line.lastIndexOf(' ') + 1).replaceAll("@.*", ""))
                .filter(symbol -> symbol.matches(symbols))
                .map(symbol -> "__attribute__((weak)) int " + symbol + "(void) { return " + answer + "; }\n")
                .collect(Collectors.joining());
        return Files.writeString(folder.resolve("unsupported-" + prefix + symbols.hashCode() + ".c"), functions);
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

    /**
     * Lets something go wrong, once.
     *
     * @param allocation the how-manieth from now on finds no memory; 0 for none
     * @param work the how-manieth launch or library's call from now on fails, which the device never recovers from; 0 for none
     */
    public void fail(int allocation, int work) {
        try {
            fail.invokeExact(allocation, work);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    public void configure(Options options) {
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
    public int live() {
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

    static MethodHandle function(SymbolLookup library, String name, FunctionDescriptor type) {
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
