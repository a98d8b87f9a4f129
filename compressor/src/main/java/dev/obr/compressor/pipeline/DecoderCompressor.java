package dev.obr.compressor.pipeline;

import dev.obr.compressor.obr.CompressedLayer;
import dev.obr.compressor.obr.CompressionOptions;
import dev.obr.compressor.obr.LayerCompressor;
import dev.obr.compressor.obr.LayerInput;
import dev.obr.compressor.obr.LayerStatistics;
import dev.obr.compressor.rotation.Projection;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.TiledProducts;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Packing;
import dev.obr.runtime.transformer.DecoderLayer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Compresses one decoder layer group by group, in the order of the data: q k v, then o, then gate and up, then down. A group is calibrated on what the groups before it, compressed,
 * give it; linear layers that share an input share its Hessian.
 */
final class DecoderCompressor {
    private final CompressionPlan plan;
    private final LayerCompressor compressor;
    private final TiledProducts products;
    private final CompressionProgress progress;

    DecoderCompressor(
            CompressionPlan plan, LayerCompressor compressor, TiledProducts products, CompressionProgress progress) {
        this.plan = plan;
        this.compressor = compressor;
        this.products = products;
        this.progress = progress;
    }

    /**
     * @param packed weights by name, in the order of {@link Projection}
     * @param reports one for each
     */
    record Packed(Map<String, PackedMatrix> packed, List<LinearReport> reports) {}

    /** Compresses layer {@code index}; afterwards the windows stand at the entrance of the next one. */
    Packed compress(int index, FloatLayer floats, Calibration calibration) {
        Packed done = new Packed(new LinkedHashMap<>(), new ArrayList<>());
        DecoderLayer layer = floats.layer();
        group(
                index,
                floats,
                done,
                List.of(Projection.QUERY, Projection.KEY, Projection.VALUE),
                (inputs, windows) -> calibration.attentionInput(layer, inputs, windows));
        group(
                index,
                floats,
                done,
                List.of(Projection.OUTPUT),
                (inputs, windows) -> calibration.attend(layer, inputs, windows));
        group(
                index,
                floats,
                done,
                List.of(Projection.GATE, Projection.UP),
                (inputs, windows) -> calibration.feedForwardInput(layer, inputs, windows));
        group(
                index,
                floats,
                done,
                List.of(Projection.DOWN),
                (inputs, windows) -> calibration.activate(layer, inputs, windows));
        calibration.finish(
                layer,
                count -> progress.calibrated(
                        index, "output", count, plan.windows().count()));
        return done;
    }

    private interface Step {
        void run(Calibration.Inputs inputs, Calibration.Windows windows);
    }

    private void group(int index, FloatLayer floats, Packed done, List<Projection> group, Step step) {
        String first = floats.name(group.getFirst());
        String inputName = "the input of " + first.substring(0, first.length() - ".weight".length());
        LayerStatistics statistics =
                new LayerStatistics(inputName, floats.weight(group.getFirst()).cols(), products);
        step.run(
                new Calibration.Inputs() {
                    @Override
                    public void add(float[] x, int tokens) {
                        statistics.add(x, tokens);
                    }

                    @Override
                    public void endSequence() {
                        statistics.endSequence();
                    }
                },
                count -> progress.calibrated(
                        index, group.getFirst().path(), count, plan.windows().count()));
        LayerInput input = statistics.toInput(plan.linear().scaler());
        for (Projection projection : group) {
            String name = floats.name(projection);
            long start = System.nanoTime();
            PackedMatrix packed = compress(name, floats.weight(projection), input, done, start);
            floats.replace(projection, packed);
            done.packed().put(name, packed);
        }
    }

    private PackedMatrix compress(String name, Matrix weight, LayerInput input, Packed done, long start) {
        CompressionOptions options = plan.linear();
        CompressedLayer layer = compressor.compress(name, weight, input, options);
        if (!Double.isFinite(layer.loss())) {
            throw new ObrException(name + " cannot be compressed: its loss is " + layer.loss()
                    + ", as weights or inputs are too large for float32 products; check the model");
        }
        PackedMatrix packed = Packing.pack(
                plan.pattern(),
                plan.codeBits(),
                weight.rows(),
                weight.cols(),
                layer.codes(),
                layer.mask().kept(),
                layer.scale());
        LinearReport report = LinearReport.of(name, layer, packed.byteSize(), (System.nanoTime() - start) / 1e9);
        done.reports().add(report);
        progress.compressed(report);
        return packed;
    }
}
