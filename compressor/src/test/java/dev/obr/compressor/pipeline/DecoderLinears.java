package dev.obr.compressor.pipeline;

import dev.obr.compressor.calibration.CalibrationWindows;
import dev.obr.compressor.obr.LayerInput;
import dev.obr.compressor.obr.LayerStatistics;
import dev.obr.compressor.obr.ScalerVariant;
import dev.obr.compressor.rotation.Projection;
import dev.obr.compressor.rotation.RotatedModel;
import dev.obr.compressor.rotation.Rotation;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.TiledProducts;
import dev.obr.models.Model;
import dev.obr.runtime.cpu.CpuBackend;
import dev.obr.runtime.transformer.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The linear layers of a model's first decoder layer as they stand before their compression, and what they see of some windows. */
final class DecoderLinears {
    private static final int THREADS = 2;

    /** A linear layer: W, and the moments of its inputs. */
    record Linear(String name, Matrix weight, Matrix hessian, float[] scalerRow) {
        /** Of its own, so that what is derived from it is computed by whoever asks for it. */
        LayerInput input() {
            return new LayerInput(name, hessian, scalerRow);
        }

        /** {@code (w - ŵ) H (w - ŵ)ᵀ} of a row. */
        double loss(Matrix compressed, int row) {
            double loss = 0;
            for (int i = 0; i < weight.cols(); i++) {
                double change = (double) weight.at(row, i) - compressed.at(row, i);
                for (int j = 0; change != 0 && j < weight.cols(); j++) {
                    loss += change * hessian.at(i, j) * ((double) weight.at(row, j) - compressed.at(row, j));
                }
            }
            return loss;
        }
    }

    private final List<Linear> linears = new ArrayList<>();
    private final LinearAlgebra algebra;

    private DecoderLinears(LinearAlgebra algebra) {
        this.algebra = algebra;
    }

    /** @param projections which of them, in the order of the data */
    static List<Linear> of(Model model, CalibrationWindows windows, LinearAlgebra algebra, Projection... projections) {
        CpuKernels kernels = CpuKernelsProvider.choose("auto", System.getenv()).kernels();
        Rotation rotation = Rotation.quarot(model.config(), 0, false);
        RotatedModel rotated = new RotatedModel(model, rotation);
        DecoderLinears gathered = new DecoderLinears(algebra);
        try (CpuBackend backend = new CpuBackend(kernels, kernels.instructionSet(), THREADS, Precision.FLOAT);
                ThreadTeam team = new ThreadTeam(THREADS);
                Calibration calibration = new Calibration(
                        rotated.config(),
                        rotation.online(),
                        backend,
                        windows.count(),
                        windows.length(),
                        false,
                        1 << 24,
                        Path.of("target"));
                FloatLayer floats = new FloatLayer("model.layers.0.", rotated.layer(0), backend)) {
            for (int sample = 0; sample < windows.count(); sample++) {
                int[] window = windows.window(sample);
                for (int t = 0; t < window.length; t++) {
                    calibration.start(sample, t, rotated.embedding(window[t], 1).values());
                }
            }
            for (Projection projection : projections) {
                gathered.add(projection, calibration, floats, team);
            }
        }
        return gathered.linears;
    }

    private void add(Projection projection, Calibration calibration, FloatLayer floats, ThreadTeam team) {
        Matrix weight = floats.weight(projection);
        if (projection == Projection.KEY || projection == Projection.VALUE || projection == Projection.UP) {
            Linear before = linears.getLast(); // which has the same input
            linears.add(new Linear(projection.path(), weight, before.hessian, before.scalerRow));
            return;
        }
        LayerStatistics statistics =
                new LayerStatistics(projection.path(), weight.cols(), new TiledProducts(algebra, team));
        calibration.run(
                switch (projection) {
                    case QUERY -> CalibrationStream::attentionInput;
                    case OUTPUT -> CalibrationStream::attend;
                    case GATE -> CalibrationStream::feedForwardInput;
                    case DOWN -> CalibrationStream::activate;
                    default -> throw new IllegalArgumentException(projection + " before the one whose input it has");
                },
                floats,
                null,
                new Calibration.Inputs() {
                    @Override
                    public void add(Calibration.Seen seen) {
                        statistics.add(seen.x(), seen.tokens());
                    }

                    @Override
                    public void endSequence() {
                        statistics.endSequence();
                    }
                },
                count -> {});
        LayerInput input = statistics.toInput(ScalerVariant.QUAROT);
        linears.add(new Linear(projection.path(), weight, input.hessian(), input.scalerRow()));
    }
}
