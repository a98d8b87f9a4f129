package dev.obr.compressor.permutation;

import dev.obr.compressor.obr.LayerInput;
import dev.obr.compressor.obr.LayerStatistics;
import dev.obr.compressor.obr.ScalerVariant;
import dev.obr.kernels.linalg.Matrix;
import org.jspecify.annotations.Nullable;

/**
 * The calibration windows in two parts: the first ones, which an order is fitted to, and about an eighth, the last ones, held out. A single window is both.
 *
 * <p>Statistics are gathered once, over all windows; what they are after the first part is copied, and the second part is the difference.
 */
public final class FittedWindows {
    private static final int HELD_OUT_OF = 8;

    private final ScalerVariant scaler;
    private final int windows;
    private final int heldOut;
    private @Nullable LayerInput fitted;

    private FittedWindows(ScalerVariant scaler, int windows, int heldOut) {
        this.scaler = scaler;
        this.windows = windows;
        this.heldOut = heldOut;
    }

    /** @param windows in all, at least 1 */
    static FittedWindows mostOf(int windows, ScalerVariant scaler) {
        int heldOut = windows == 1 ? 0 : Math.max(1, Math.round((float) windows / HELD_OUT_OF));
        return new FittedWindows(scaler, windows, heldOut);
    }

    /** Nothing is held out. */
    static FittedWindows all(int windows, ScalerVariant scaler) {
        return new FittedWindows(scaler, windows, 0);
    }

    /** To be told after each window that {@code statistics} gathered. */
    public void ended(LayerStatistics statistics) {
        if (heldOut > 0 && statistics.sequences() == windows - heldOut) {
            fitted = statistics.soFar(scaler);
        }
    }

    /** Whether some windows are held out. */
    boolean holdsOut() {
        return fitted != null;
    }

    /**
     * What an order is fitted to.
     *
     * @param all statistics of all windows
     */
    LayerInput fitted(LayerInput all) {
        return fitted == null ? all : fitted;
    }

    /** H [cols, cols] of the windows that an order is judged by. */
    Matrix judge(LayerInput all) {
        if (fitted == null) {
            return all.hessian();
        }
        float whole = (float) windows / heldOut;
        float part = (float) (windows - heldOut) / heldOut;
        Matrix h = all.hessian().copy();
        for (int i = 0; i < h.values().length; i++) {
            h.values()[i] = whole * h.values()[i] - part * fitted.hessian().values()[i];
        }
        return h;
    }
}
