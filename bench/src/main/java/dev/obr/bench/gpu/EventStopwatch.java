package dev.obr.bench.gpu;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuEvent;
import dev.obr.kernels.gpu.GpuGraph;
import dev.obr.kernels.gpu.GpuStream;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * Times by the device's own events around one launch of a graph that holds all turns: a product of one token takes less time than a launch from Java, and in a model's step it stands in a graph, too. The way from
 * one kernel of the graph to the next is in it.
 */
public final class EventStopwatch implements Stopwatch<Timed>, AutoCloseable {
    private final GpuStream stream;
    private final GpuEvent start;
    private final GpuEvent end;
    private final Map<Timed, GpuGraph> graphs = new IdentityHashMap<>();

    public EventStopwatch(GpuDevice device) {
        stream = device.newStream();
        start = device.newEvent();
        end = device.newEvent();
    }

    @Override
    public double seconds(Timed timed) {
        if (timed.recordable()) {
            GpuGraph graph = graphs.computeIfAbsent(timed, this::record);
            stream.record(start);
            stream.launch(graph);
        } else {
            stream.record(start);
            queue(timed);
        }
        stream.record(end);
        end.synchronize();
        return end.millisSince(start) / 1e3 / timed.turns();
    }

    private GpuGraph record(Timed timed) {
        return stream.capture(() -> queue(timed));
    }

    private void queue(Timed timed) {
        for (int turn = 0; turn < timed.turns(); turn++) {
            timed.queue(stream, turn);
        }
    }

    @Override
    public void close() {
        graphs.values().forEach(GpuGraph::close);
        end.close();
        start.close();
        stream.close();
    }
}
