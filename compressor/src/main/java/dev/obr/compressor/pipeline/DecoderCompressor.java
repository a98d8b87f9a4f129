package dev.obr.compressor.pipeline;

import dev.obr.compressor.obr.CompressedLayer;
import dev.obr.compressor.obr.CompressionOptions;
import dev.obr.compressor.obr.LayerCompressor;
import dev.obr.compressor.obr.LayerInput;
import dev.obr.compressor.obr.LayerStatistics;
import dev.obr.compressor.obr.ResidualTarget;
import dev.obr.compressor.permutation.FittedWindows;
import dev.obr.compressor.permutation.OrderChoice;
import dev.obr.compressor.permutation.OrderSearch;
import dev.obr.compressor.rotation.Projection;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.TiledProducts;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.PackedRows;
import dev.obr.kernels.packed.Packing;
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
    private final LinearAlgebra algebra;
    private final ThreadTeam team;
    private final LayerCompressor compressor;
    private final OrderSearch orders;
    private final CompressionProgress progress;

    DecoderCompressor(CompressionPlan plan, LinearAlgebra algebra, ThreadTeam team, CompressionProgress progress) {
        this.plan = plan;
        this.algebra = algebra;
        this.team = team;
        this.compressor = new LayerCompressor(algebra, team);
        this.orders = new OrderSearch(plan.permute(), plan.linear(), compressor, algebra, team);
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

    /** Linear layers that share an input, and the step that shows it. */
    private record Group(Calibration.Step step, boolean writesResidual, List<Projection> projections) {
        static final List<Group> IN_ORDER = List.of(
                new Group(
                        CalibrationStream::attentionInput,
                        false,
                        List.of(Projection.QUERY, Projection.KEY, Projection.VALUE)),
                new Group(CalibrationStream::attend, true, List.of(Projection.OUTPUT)),
                new Group(CalibrationStream::feedForwardInput, false, List.of(Projection.GATE, Projection.UP)),
                new Group(CalibrationStream::activate, true, List.of(Projection.DOWN)));
    }

    /**
     * Compresses layer {@code index}; afterwards the windows stand at the entrance of the next one.
     *
     * @param floats the layer, whose weights are replaced one by one
     * @param original the same layer, which stays as it is; null where the target is the layer's own outputs
     */
    Packed compress(int index, FloatLayer floats, @Nullable FloatLayer original, Calibration calibration) {
        Packed done = new Packed(new LinkedHashMap<>(), new LinkedHashMap<>(), new ArrayList<>());
        for (Group group : Group.IN_ORDER) {
            compress(group, index, floats, original, calibration, done);
        }
        calibration.run(
                CalibrationStream::finish,
                floats,
                original,
                Calibration.IGNORED,
                count -> progress.calibrated(
                        index, "output", count, plan.windows().count()));
        return done;
    }

    private void compress(
            Group group,
            int index,
            FloatLayer floats,
            @Nullable FloatLayer original,
            Calibration calibration,
            Packed done) {
        Moments moments = new Moments(group, floats);
        Projection first = group.projections().getFirst();
        calibration.run(
                group.step(),
                floats,
                original,
                moments,
                count -> progress.calibrated(
                        index, first.path(), count, plan.windows().count()));
        long start = System.nanoTime();
        LayerInput seen = moments.statistics.toInput(plan.linear().scaler());
        List<Matrix> wanted = group.projections().stream()
                .map(projection -> moments.wanted(floats.weight(projection), seen))
                .toList();
        OrderChoice choice = orders.choose(floats.name(first), wanted, seen, moments.windows);
        LayerInput input = choice.reordered(seen);
        for (int i = 0; i < wanted.size(); i++) {
            Projection projection = group.projections().get(i);
            String name = floats.name(projection);
            PackedMatrix packed =
                    compress(name, choice.columnsOf(wanted.get(i)), input, done, start, i == 0 ? choice.note() : null);
            floats.replace(projection, packed, choice.order());
            done.packed().put(name, packed);
            start = System.nanoTime();
        }
        if (choice.order() != null) {
            keep(choice.order(), group, floats, done);
        }
    }

    /** What a group's inputs were like. */
    private final class Moments implements Calibration.Inputs {
        final LayerStatistics statistics;
        final FittedWindows windows;
        final @Nullable ResidualTarget target;

        Moments(Group group, FloatLayer floats) {
            String first = floats.name(group.projections().getFirst());
            String name = "the input of " + first.substring(0, first.length() - ".weight".length());
            Matrix weight = floats.weight(group.projections().getFirst());
            statistics = new LayerStatistics(name, weight.cols(), new TiledProducts(algebra, team));
            windows = orders.windows(plan.windows().count());
            target = plan.target() == Target.LAYER
                    ? null
                    : new ResidualTarget(
                            name, weight.cols(), group.writesResidual() ? weight.rows() : 0, algebra, team);
        }

        @Override
        public void add(Calibration.Seen seen) {
            statistics.add(seen.x(), seen.tokens());
            Calibration.Dense dense = seen.dense();
            if (target != null && dense != null) {
                target.add(seen.x(), dense.x(), dense.error(), seen.tokens());
            }
        }

        @Override
        public void endSequence() {
            statistics.endSequence();
            windows.ended(statistics);
            if (target != null) {
                target.endSequence();
            }
        }

        /** What {@code weight} is to be instead, with the inputs as they were seen. */
        Matrix wanted(Matrix weight, LayerInput seen) {
            return target == null
                    ? weight
                    : target.of(weight, seen, plan.linear().percdamp());
        }
    }

    /** Stores the order of a group's input, or, where that costs nothing, has the layers before give the input in it. */
    private void keep(ColumnOrder order, Group group, FloatLayer floats, Packed done) {
        if (group.projections().contains(Projection.DOWN)
                && !plan.rotation().online().downInput()) {
            for (Projection producer : List.of(Projection.GATE, Projection.UP)) {
                PackedMatrix packed = PackedRows.inOrder(done.weight(floats.name(producer)), order::column);
                done.packed().put(floats.name(producer), packed);
                floats.replace(producer, packed, done.orders().get(floats.orderName(producer)));
            }
            floats.replace(Projection.DOWN, done.weight(floats.name(Projection.DOWN)), null);
        } else {
            done.orders().put(floats.orderName(group.projections().getFirst()), order);
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
