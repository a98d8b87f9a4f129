package dev.obr.bench.machine;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The processor's own counters, as Linux shows them: a folder for each package, {@code intel-rapl:0} and so on on AMD too, with microjoules in {@code energy_uj} that begin again at
 * {@code max_energy_range_uj}. Parts of a package ({@code intel-rapl:0:0}) are in it and are not counted again.
 */
final class RaplMeter implements EnergyMeter {
    private static final double MICRO = 1e-6;

    /** One package's counter. */
    private static final class Counter {
        private final Path energy;
        private final String name;
        private final long range;
        private long last;
        private long sum;

        Counter(Path folder) throws IOException {
            energy = folder.resolve("energy_uj");
            name = Files.readString(folder.resolve("name")).strip();
            range = number(folder.resolve("max_energy_range_uj"));
            last = number(energy);
        }

        long microjoules() throws IOException {
            long now = number(energy);
            sum += now >= last ? now - last : now + range - last;
            last = now;
            return sum;
        }

        private static long number(Path file) throws IOException {
            return Long.parseLong(Files.readString(file).strip());
        }
    }

    private final List<Counter> counters;

    private RaplMeter(List<Counter> counters) {
        this.counters = counters;
    }

    /**
     * Reads the counters below a folder.
     *
     * @throws ObrException if there are none, or they may not be read
     */
    static RaplMeter open(Path folder) {
        List<Counter> counters = new ArrayList<>();
        try (DirectoryStream<Path> packages = Files.newDirectoryStream(folder, "intel-rapl:*")) {
            for (Path each : packages) {
                if (each.getFileName().toString().indexOf(':')
                        == each.getFileName().toString().lastIndexOf(':')) {
                    counters.add(new Counter(each));
                }
            }
        } catch (IOException | NumberFormatException e) {
            throw new ObrException("the processor's energy counters in " + folder + " cannot be read (" + e.getMessage()
                    + "): reading them often takes an administrator");
        }
        if (counters.isEmpty()) {
            throw new ObrException("the processor shows no energy counters in " + folder);
        }
        counters.sort(Comparator.comparing(counter -> counter.name));
        return new RaplMeter(counters);
    }

    @Override
    public double joules() {
        long sum = 0;
        try {
            for (Counter counter : counters) {
                sum += counter.microjoules();
            }
        } catch (IOException e) {
            throw new UncheckedIOException("an energy counter that was readable no longer is", e);
        }
        return sum * MICRO;
    }

    @Override
    public String counted() {
        return counters.stream().map(counter -> counter.name).collect(Collectors.joining(", ")) + " by RAPL";
    }
}
