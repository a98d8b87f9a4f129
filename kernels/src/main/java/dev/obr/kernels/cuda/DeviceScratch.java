package dev.obr.kernels.cuda;

import java.util.EnumMap;
import java.util.Map;

/** Memory for operands of the call at hand: as large as the largest so far, so that calls need not allocate. */
final class DeviceScratch {
    /** What lies in it. */
    enum Use {
        A,
        B,
        C,
        WORKSPACE,
        INFO
    }

    private final CudaDevice device;
    private final Map<Use, CudaMemory> memories = new EnumMap<>(Use.class);

    DeviceScratch(CudaDevice device) {
        this.device = device;
    }

    /** At least so many bytes, with undefined contents. */
    CudaMemory of(Use use, long bytes) {
        CudaMemory present = memories.get(use);
        if (present != null && present.byteSize() >= bytes) {
            return present;
        }
        if (present != null) {
            memories.remove(use);
            present.close();
        }
        CudaMemory larger = device.own(device.allocate(Math.max(bytes, 1)));
        memories.put(use, larger);
        return larger;
    }

    /** Gives all of it back. */
    void clear() {
        memories.values().forEach(CudaMemory::close);
        memories.clear();
    }
}
