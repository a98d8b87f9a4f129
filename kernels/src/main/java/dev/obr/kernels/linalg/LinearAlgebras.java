package dev.obr.kernels.linalg;

import dev.obr.kernels.ObrException;
import java.util.Map;

/** Takes the fastest linear algebra that loads here. */
public final class LinearAlgebras {
    /**
     * What was taken.
     *
     * @param why one line: which it is and, if it is not the fastest, why not
     */
    public record Choice(LinearAlgebra algebra, String why) {}

    private LinearAlgebras() {}

    /**
     * OpenBLAS if it loads, else plain Java.
     *
     * @param environment where the cache folder is looked up (OBR_CACHE, XDG_CACHE_HOME)
     */
    public static Choice choose(Map<String, String> environment) {
        try {
            LinearAlgebra openBlas = OpenBlasLinearAlgebra.load(environment);
            return new Choice(openBlas, "linear algebra: " + openBlas.description());
        } catch (ObrException e) {
            LinearAlgebra java = new JavaLinearAlgebra();
            return new Choice(
                    java, "linear algebra: " + java.description() + ", slower than OpenBLAS, as " + e.getMessage());
        }
    }
}
