package dev.obr.compressor.pipeline;

import dev.obr.compressor.obr.CompressedLayer;
import dev.obr.compressor.obr.CompressionOptions;
import dev.obr.compressor.obr.LayerCompressor;
import dev.obr.compressor.obr.LayerInput;
import dev.obr.compressor.obr.LayerStatistics;
import dev.obr.compressor.permutation.FittedWindows;
import dev.obr.compressor.permutation.OrderChoice;
import dev.obr.compressor.permutation.OrderSearch;
import dev.obr.compressor.rotation.Projection;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.TiledProducts;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.PackedRows;
import dev.obr.kernels.packed.Packing;
import dev.obr.runtime.transformer.DecoderLayer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Compresses one decoder layer group by group, in the order of the data: q k v, then o, then gate and up, then down. A group is calibrated on what the groups before it, compressed,
 * give it; linear layers that share an input share its Hessian.
 */
final class DecoderCompressor {
    private final CompressionPlan plan;
    private final LayerCompressor compressor;
    private final OrderSearch orders;
    private final TiledProducts products;
    private final CompressionProgress progress;

    DecoderCompressor(
            CompressionPlan plan,
            LayerCompressor compressor,
            OrderSearch orders,
            TiledProducts products,
            CompressionProgress progress) {
        this.plan = plan;
        this.compressor = compressor;
        this.orders = orders;
        this.products = products;
        this.progress = progress;
    }

    /**
     * @param packed weights by name, in the order of {@link Projection}
     * @param orders of inputs, by tensor name
     * @param reports one for each weight
     */
    record Packed(Map<String, PackedMatrix> packed, Map<String, ColumnOrder> orders, List<LinearReport> reports) {
        PackedMatrix weight(String name) {
            return Objects.requireNonNull(packed.get(name), name);
        }
    }

    /** Compresses layer {@code index}; afterwards the windows stand at the entrance of the next one. */
    Packed compress(int index, FloatLayer floats, Calibration calibration) {
        Packed done = new Packed(new LinkedHashMap<>(), new LinkedHashMap<>(), new ArrayList<>());
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
        FittedWindows windows = orders.windows(plan.windows().count());
        step.run(
                new Calibration.Inputs() {
                    @Override
                    public void add(float[] x, int tokens) {
                        statistics.add(x, tokens);
                    }

                    @Override
                    public void endSequence() {
                        statistics.endSequence();
                        windows.ended(statistics);
                    }
                },
                count -> progress.calibrated(
                        index, group.getFirst().path(), count, plan.windows().count()));
        LayerInput seen = statistics.toInput(plan.linear().scaler());
        OrderChoice choice =
                orders.choose(first, group.stream().map(floats::weight).toList(), seen, windows);
        LayerInput input = choice.reordered(seen);
        for (Projection projection : group) {
            String name = floats.name(projection);
            long start = System.nanoTime();
            PackedMatrix packed = compress(
                    name,
                    choice.columnsOf(floats.weight(projection)),
                    input,
                    done,
                    start,
                    projection == group.getFirst() ? choice.note() : null);
            floats.replace(projection, packed, choice.order());
            done.packed().put(name, packed);
        }
        if (choice.order() != null) {
            keep(choice.order(), group, floats, done);
        }
    }

    /** Stores the order of a group's input, or, where that costs nothing, has the layers before give the input in it. */
    private void keep(ColumnOrder order, List<Projection> group, FloatLayer floats, Packed done) {
        if (group.contains(Projection.DOWN) && !plan.rotation().online().downInput()) {
            for (Projection producer : List.of(Projection.GATE, Projection.UP)) {
                PackedMatrix packed = PackedRows.inOrder(done.weight(floats.name(producer)), order::column);
                done.packed().put(floats.name(producer), packed);
                floats.replace(producer, packed, done.orders().get(floats.orderName(producer)));
            }
            floats.replace(Projection.DOWN, done.weight(floats.name(Projection.DOWN)), null);
        } else {
            done.orders().put(floats.orderName(group.getFirst()), order);
        }
    }

    private PackedMatrix compress(
            String name, Matrix weight, LayerInput input, Packed done, long start, @Nullable String note) {
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
        report = note == null ? report : report.noting(note);
        done.reports().add(report);
        progress.compressed(report);
        return packed;
    }
}
