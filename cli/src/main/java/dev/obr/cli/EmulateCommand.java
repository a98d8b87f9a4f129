package dev.obr.cli;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.Emulator;
import dev.obr.kernels.emulator.EmulatorOptions;
import dev.obr.kernels.emulator.LaunchCounters;
import dev.obr.kernels.emulator.PtxKernel;
import dev.obr.kernels.emulator.PtxModule;
import dev.obr.kernels.emulator.Schedule;
import dev.obr.kernels.gpu.LaunchShape;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code emulate}: one launch of a PTX kernel, without a GPU. */
@Command(
        name = "emulate",
        description = "Run one kernel of a PTX file on the processor, checked and counted.",
        footer = {
            "",
            "Arguments are given in the kernel's order: in:FILE is a buffer with the file's bytes, out:FILE:BYTES one of zeros that becomes the file, inout:FILE both; "
                    + "i32:, u64: and f32: are numbers. Files are raw little-endian bytes, written only where the kernel ends well.",
            "",
            "  emulate saxpy.ptx --kernel saxpy --grid 4 --block 256 --arg i32:1000 --arg f32:2 --arg in:x.bin --arg inout:y.bin --counters"
        })
final class EmulateCommand implements Callable<Integer> {
    private final Console console;
    private final CommonOptions common;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Parameters(paramLabel = "FILE", description = "The PTX text, as nvcc -ptx writes it.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path file;

    @Option(names = "--kernel", paramLabel = "NAME", required = true, description = "The entry to launch.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String kernel;

    @Option(
            names = "--grid",
            paramLabel = "X[,Y[,Z]]",
            required = true,
            converter = LaunchShapes.Grid.class,
            description = "Thread blocks.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private LaunchShape.Dim grid;

    @Option(
            names = "--block",
            paramLabel = "X[,Y[,Z]]",
            required = true,
            converter = LaunchShapes.Block.class,
            description = "Threads of a block.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private LaunchShape.Dim block;

    private int shared;

    @Option(
            names = "--shared",
            paramLabel = "BYTES",
            defaultValue = "0",
            description = "Dynamic shared memory of a block. Default: ${DEFAULT-VALUE}.")
    void shared(int bytes) {
        if (bytes < 0 || bytes > LaunchShapes.MOST_SHARED_BYTES) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--shared is " + bytes + ", but must be 0 to " + LaunchShapes.MOST_SHARED_BYTES + " bytes");
        }
        shared = bytes;
    }

    @Option(
            names = "--arg",
            paramLabel = "KIND:VALUE",
            converter = EmulateArgument.Converter.class,
            description = "The next argument of the kernel; see below.")
    private List<EmulateArgument> arguments = new ArrayList<>();

    @Option(
            names = "--schedule",
            paramLabel = "round-robin|greedy|reversed",
            defaultValue = "round-robin",
            converter = ScheduleConverter.class,
            description =
                    "Which warp of a block runs next: each in turn, one as far as it goes, or the last first. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Schedule schedule;

    @Option(names = "--counters", description = "Print what the launch did.")
    private boolean counters;

    @Option(names = "--json", description = "Print it as one JSON object.")
    private boolean json;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ThreadsOption threads;

    EmulateCommand(Console console, CommonOptions common) {
        this.console = console;
        this.common = common;
    }

    /** {@code round-robin} is {@link Schedule#ROUND_ROBIN}. */
    private static final class ScheduleConverter implements ITypeConverter<Schedule> {
        @Override
        public Schedule convert(String text) {
            for (Schedule schedule : Schedule.values()) {
                if (schedule.name().equals(text.toUpperCase(Locale.ROOT).replace('-', '_'))) {
                    return schedule;
                }
            }
            throw new TypeConversionException("'" + text + "' is no schedule; write round-robin, greedy or reversed");
        }
    }

    @Override
    public Integer call() {
        PtxKernel entry = PtxModule.parse(file.toString(), text(file)).kernel(kernel);
        EmulateArgument.check(kernel, entry.parameters(), arguments);
        Emulator emulator =
                new Emulator(EmulatorOptions.checked().withSchedule(schedule).withThreads(threads.count()));
        try (Arena arena = Arena.ofShared()) {
            EmulateBuffers buffers = new EmulateBuffers(arguments, arena);
            if (common.verbose()) {
                buffers.places().forEach(console::note);
            }
            long start = System.nanoTime();
            LaunchCounters done =
                    emulator.launch(entry, new LaunchShape(grid, block, shared), buffers.values(), buffers.memory());
            double seconds = (System.nanoTime() - start) / 1e9;
            buffers.write();
            if (!common.quiet()) {
                console.note(String.format(
                        Locale.ROOT,
                        "%s: %,d blocks of %,d threads, %,d warp instructions in %.2f s",
                        kernel,
                        grid.count(),
                        block.count(),
                        done.instructions(),
                        seconds));
            }
            report(new CounterReport(done));
        }
        return CommandLineApplication.DONE;
    }

    private void report(CounterReport report) {
        if (json) {
            console.println(JsonOutput.pretty(report.json()));
        } else if (counters) {
            console.print(report.text());
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            throw new ObrException(file + " does not exist; check the path", e);
        } catch (CharacterCodingException e) {
            throw new ObrException(file + " is no PTX: it is not text; compile with nvcc -ptx", e);
        } catch (IOException e) {
            throw new ObrException(file + " cannot be read: " + e.getMessage(), e);
        }
    }
}
