package dev.obr.kernels.gpu.check;

import dev.obr.kernels.emulator.EmulatedDevice;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuDevice;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/** An emulated GPU with a defect: of one module it runs other instructions than it is given. */
final class BrokenDevice implements AutoCloseable {
    private final EmulatedDevice emulated = new EmulatedDevice(ComputeCapability.SM_80);
    private final GpuDevice broken;

    /**
     * @param module its text's name
     * @param written what stands in it
     * @param instead what is run
     */
    BrokenDevice(String module, String written, String instead) {
        broken = (GpuDevice) Proxy.newProxyInstance(
                BrokenDevice.class.getClassLoader(), new Class<?>[] {GpuDevice.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("load") && arguments[0].equals(module)) {
                        String ptx = (String) arguments[1];
                        if (!ptx.contains(written)) {
                            throw new IllegalStateException(module + " has no " + written);
                        }
                        return emulated.load(module, ptx.replace(written, instead));
                    }
                    try {
                        return method.invoke(emulated, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    GpuDevice device() {
        return broken;
    }

    @Override
    public void close() {
        emulated.close();
    }
}
