package dev.obr.kernels.cpu;

import dev.obr.kernels.ObrException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

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

    private CpuKernelsProvider() {}

    /** What {@code -Dobr.kernels} asks for: one of {@link #NAMES}, {@code auto} if it is not set. The only place that reads it. */
    public static String requested() {
        return System.getProperty("obr.kernels", "auto");
    }

    /**
     * The twin of that name, or the fastest for {@code auto}.
     *
     * @param requested one of {@link #NAMES}
     * @param environment where the native library's cache folder is looked up (OBR_CACHE, XDG_CACHE_HOME)
     * @throws ObrException if the twin asked for does not work here, or there is none of that name
     */
    public static Choice choose(String requested, Map<String, String> environment) {
        return switch (requested) {
            case "auto" -> fastest(environment);
            case "native" ->
                onRequest(NativeKernels.load(1, environment).usable().getFirst());
            case "vector" -> {
                if (!vectorModulePresent()) {
                    throw new ObrException("the vector kernels need java's option --add-modules jdk.incubator.vector");
                }
                yield onRequest(VectorTwin.create());
            }
            case "scalar" -> onRequest(new ScalarKernels());
            default ->
                throw new ObrException(
                        "there are no kernels called '" + requested + "': use one of " + String.join(", ", NAMES));
        };
    }

    private static Choice fastest(Map<String, String> environment) {
        List<String> refusals = new ArrayList<>();
        try {
            NativeKernels.Loaded loaded = NativeKernels.load(1, environment);
            return chosen(loaded.usable().getFirst(), loaded.refusals());
        } catch (ObrException e) {
            refusals.add("native not used: " + e.getMessage());
        }
        if (vectorModulePresent()) {
            return chosen(VectorTwin.create(), refusals);
        }
        refusals.add("vector not used: java was started without --add-modules jdk.incubator.vector");
        return chosen(new ScalarKernels(), refusals);
    }

    private static Choice chosen(CpuKernels kernels, List<String> refusals) {
        String choice = "kernels: " + kernels.name() + " (" + kernels.instructionSet() + ")";
        return new Choice(kernels, refusals.isEmpty() ? choice : choice + "; " + String.join("; ", refusals));
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
            NativeLibrary.open(NativeLibrary.cacheFolders(environment));
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
