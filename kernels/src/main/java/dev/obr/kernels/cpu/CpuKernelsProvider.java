package dev.obr.kernels.cpu;

import dev.obr.kernels.HostSettings;
import dev.obr.kernels.ObrException;
import java.lang.foreign.SymbolLookup;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the fastest twin that works here: native, else vector, else scalar.
 *
 * <p>Nothing is hidden: each twin that was passed over leaves its reason in {@link Choice#reason}, one line for a log.
 */
public final class CpuKernelsProvider {
    /** What {@link #choose} may be asked for. */
    public static final List<String> NAMES = List.of("auto", "native", "vector", "scalar");

    /**
     * The twin to use.
     *
     * @param kernels the twin
     * @param reason one line: what was chosen and why nothing faster, e.g. {@code kernels: vector (256 bits); native not used: no resource ... in this build, run make}
     */
    public record Choice(CpuKernels kernels, String reason) {}

    /**
     * What a user asks for.
     *
     * @param kernels one of {@link #NAMES}
     * @param cap the most that native kernels may use of the processor
     */
    public record Request(String kernels, CpuCap cap) {
        /** The same cap for the twin of that name; this one for null. */
        public Request orFor(@Nullable String name) {
            return name == null ? this : new Request(name, cap);
        }
    }

    /**
     * One instruction set of the native kernels.
     *
     * @param name how its C functions are called
     * @param works whether it can be used here
     * @param verdict for people: what it is if it works, else why not
     * @param note for people: what is not known of these kernels; empty where tests ran them on their hardware
     */
    public record SetReport(String name, boolean works, String verdict, String note) {
        private static List<SetReport> all(List<? extends Trial<?>> trials) {
            return trials.stream()
                    .map(trial -> {
                        KernelSet set = trial.set();
                        boolean works = trial.kernels() != null;
                        return new SetReport(
                                set.suffix(),
                                works,
                                works ? set.description() : trial.phrase(),
                                set.facts().tested().note());
                    })
                    .toList();
        }
    }

    /** All instruction sets of this kind of processor, fastest first; the first that works of each list is the one that is used. */
    public record NativeSets(List<SetReport> floats, List<SetReport> integers) {}

    private CpuKernelsProvider() {}

    /**
     * What {@code -Dobr.kernels} and {@code -Dobr.cpu} ask for: {@code auto} and no cap if they are not set.
     *
     * @throws ObrException if there is no such cap
     */
    public static Request requested() {
        return new Request(HostSettings.kernels(), CpuCap.named(HostSettings.cpuCap()));
    }

    /** The twin of that name without a cap. */
    public static Choice choose(String kernels, Map<String, String> environment) {
        return choose(new Request(kernels, CpuCap.NONE), environment);
    }

    /**
     * The twin that is asked for, or the fastest for {@code auto}.
     *
     * @param environment where the native library's cache folder is looked up (OBR_CACHE, XDG_CACHE_HOME)
     * @throws ObrException if the twin asked for does not work here, or there is none of that name
     */
    public static Choice choose(Request request, Map<String, String> environment) {
        return switch (request.kernels) {
            case "auto" -> fastest(request.cap, environment);
            case "native" ->
                natives(NativeKernels.load(1, request.cap, environment).usable(), request.cap, List.of("as requested"));
            case "vector" -> {
                if (!vectorModulePresent()) {
                    throw new ObrException("the vector kernels need java's option --add-modules jdk.incubator.vector");
                }
                yield onRequest(VectorTwin.create());
            }
            case "scalar" -> onRequest(new ScalarKernels());
            default ->
                throw new ObrException("there are no kernels called '" + request.kernels + "': use one of "
                        + String.join(", ", NAMES));
        };
    }

    /**
     * Tries every instruction set of the native kernels that {@code cap} allows.
     *
     * @throws ObrException if the native library cannot be loaded
     */
    public static NativeSets nativeSets(CpuCap cap, Map<String, String> environment) {
        SymbolLookup library = NativeKernels.library(environment);
        return new NativeSets(
                SetReport.all(NativeKernels.trials(library, cap, Integer.MAX_VALUE)),
                SetReport.all(NativePackedKernels.trials(library, cap, Integer.MAX_VALUE)));
    }

    private static Choice fastest(CpuCap cap, Map<String, String> environment) {
        List<String> refusals = new ArrayList<>();
        try {
            NativeKernels.Loaded loaded = NativeKernels.load(1, cap, environment);
            return natives(loaded.usable(), cap, loaded.refusals());
        } catch (ObrException e) {
            refusals.add("native not used: " + e.getMessage());
        }
        if (vectorModulePresent()) {
            return chosen(VectorTwin.create(), refusals);
        }
        refusals.add("vector not used: java was started without --add-modules jdk.incubator.vector");
        return chosen(new ScalarKernels(), refusals);
    }

    private static Choice natives(List<NativeKernels> usable, CpuCap cap, List<String> remarks) {
        List<String> all = new ArrayList<>(remarks);
        if (cap != CpuCap.NONE) {
            all.addFirst("capped at " + cap);
        }
        return chosen(usable.getFirst(), all);
    }

    private static Choice chosen(CpuKernels kernels, List<String> remarks) {
        String choice = "kernels: " + kernels.name() + " (" + kernels.instructionSet() + ")";
        return new Choice(kernels, remarks.isEmpty() ? choice : choice + "; " + String.join("; ", remarks));
    }

    private static Choice onRequest(CpuKernels kernels) {
        return chosen(kernels, List.of("as requested"));
    }

    /**
     * Whether this JVM can compute fast as it was started: it has the Vector API, or the native library loads. If not, one started with {@code --add-modules jdk.incubator.vector} would.
     *
     * @param environment as in {@link #choose}
     */
    public static boolean fastKernelsReachable(Map<String, String> environment) {
        if (vectorModulePresent()) {
            return true;
        }
        try {
            NativeKernels.library(environment);
            return true;
        } catch (ObrException e) {
            return false;
        }
    }

    static boolean vectorModulePresent() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    }

    /** A class of its own, so that {@link VectorKernels} is linked only when it is asked for. */
    private static final class VectorTwin {
        static CpuKernels create() {
            return new VectorKernels();
        }
    }
}
